/* Objects of one series come and go, as a CronJob makes them: what their runs have made is in somebody's
 * record for as long as it is there, and goes when its turn has come. */
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

#define DELETION "deletionPolicy: Retain"
#define BRIEF DELETION "\n  ttlSecondsAfterFinished: 3600"
#define BRIEF_DELETE "deletionPolicy: Delete\n  ttlSecondsAfterFinished: 3600"
#define FOR_EVER "\"ttlSecondsAfterFinished\": null"

/* --- doing --- */

static void annotate(struct play *play, const char *name, const char *key, const char *value)
{
    const struct object_id id = refresh_id(name);
    AUTO_FREE char *patch =
        xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"%s\"}}}", key, value);

    play->scene++;
    memory_patch(memory_of(play), &id, patch);
}

/* --- looking --- */

static bool is_success(const struct json *object)
{
    return has_ended(object) && text_equal(condition_text(object, "Succeeded", "status"), "True");
}

static bool has_succeeded(struct play *play, const char *name)
{
    return is_success(refresh_of(play, name));
}

static bool is_in(struct play *play, const char *name, const char *phase)
{
    return phase_is(refresh_of(play, name), phase);
}

static void want_there(struct play *play, const char *name, bool wanted)
{
    if ((refresh_of(play, name) != NULL) != wanted)
        add_fault(play, "%s is %s", name, wanted ? "gone" : "still there");
}

/* "Previous InUse": of the copies of a database, in order. */
static void want_roles(struct play *play, const char *name, const char *database, const char *want)
{
    AUTO_BUF struct buf text = BUF_MAX(KIB);

    json_each (copy, json_at(refresh_of(play, name), "status.copies")) {
        if (text_equal(json_get_text(copy, "database", ""), database))
            buf_addf(&text, "%s%s", text.len ? " " : "", json_get_text(copy, "role", "?"));
    }
    want_text_named(play, name, buf_text(&text), want);
}

/* Entries of the document about copies that are kept. */
static size_t kept_entries(struct play *play)
{
    size_t count = 0;

    json_each (entry, json_member(memory_leftovers(memory_of(play)), "data"))
        count += str_starts(str_of(json_key(entry)), "KeptCopy-");
    return count;
}

/* What the runs have made of clusters is what the objects know, whoever it is in. */
static void want_clusters(struct play *play, size_t want)
{
    const struct json *clusters = json_at(staging_of(play), "rds.clusters");
    size_t ours = 0;

    json_each (cluster, clusters)
        ours += json_member(json_member(cluster, "tags"), "stagingrefresh.dev/run") != NULL;
    want_number(play, ours, want);
}

/* --- the time after the end --- */

static void follow(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        create_refresh(play, "nightly-b", "{\"spec\": {" FOR_EVER "}}");
}

static void follow_and_keep_none(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        create_refresh(play, "nightly-b",
                       "{\"spec\": {\"retention\": {\"previousCopies\": 0}, " FOR_EVER "}}");
}

static void follow_and_fail(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        create_refresh(play, "nightly-b", "{\"spec\": {" FOR_EVER "}}");
    else if (play->scene == 1 && is_in(play, "nightly-b", "Copying"))
        annotate(play, "nightly-b", "cancel",
                 json_get_text(refresh_of(play, "nightly-b"), "status.run.id", ""));
}

/* Once that is said, nothing is written any more. */
static void want_held(struct play *play, const struct json *shop)
{
    const struct json *said = NULL;

    want_there(play, "shop", true);
    want_text(play, condition_text(shop, "ExpiryHeld", "status"), "True");
    if (!strstr(condition_text(shop, "ExpiryHeld", "message"),
                json_get_text(shop, "status.copies[0].identifier", "none")))
        add_fault(play, "ExpiryHeld does not name the copy: %s",
                  condition_text(shop, "ExpiryHeld", "message"));
    for (size_t i = 0; i < memory_version_count(memory_of(play), &scenario_refresh); i++) {
        const struct json *version = memory_version(memory_of(play), &scenario_refresh, i);

        if (said && !json_equal(json_member(version, "status"), json_member(said, "status")))
            add_fault(play, "written again after it was said");
        if (*condition_text(version, "ExpiryHeld", "status"))
            said = version;
    }
}

static void check_held(struct play *play, const struct json *shop)
{
    want_held(play, shop);
    want_number(play, count(play, "DeleteDBCluster", NULL), 0);
}

static void check_held_after_a_failure(struct play *play, const struct json *shop)
{
    want_held(play, shop);
    want_text(play, condition_text(refresh_of(play, "nightly-b"), "Succeeded", "status"), "False");
    want_roles(play, "shop", "main", "InUse");
}

static void check_taken_over(struct play *play, const struct json *shop UNUSED)
{
    want_there(play, "shop", false);
    want_roles(play, "nightly-b", "main", "InUse Previous");
    want_roles(play, "nightly-b", "sessions", "InUse Previous");
    want_number(play, count(play, "DeleteDBCluster", NULL), 0);
}

static void check_taken_over_and_removed(struct play *play, const struct json *shop UNUSED)
{
    want_there(play, "shop", false);
    want_roles(play, "nightly-b", "main", "InUse");
    want_roles(play, "nightly-b", "sessions", "InUse");
}

/* --- deleted by a person, or by what applies it anew --- */

/* Argo CD, as for a hook: the old one goes before the new one is there. */
static void apply_anew(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        delete_refresh(play, "shop");
    else if (play->scene == 1 && !refresh_of(play, "shop"))
        create_refresh(play, "shop", "{}");
}

static void apply_anew_and_keep_none(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        delete_refresh(play, "shop");
    else if (play->scene == 1 && !refresh_of(play, "shop"))
        create_refresh(play, "shop", "{\"spec\": {\"retention\": {\"previousCopies\": 0}}}");
}

static void delete_it(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        delete_refresh(play, "shop");
}

static void delete_both(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        create_refresh(play, "nightly-b", "{}");
    } else if (play->scene == 1 && has_succeeded(play, "nightly-b")) {
        delete_refresh(play, "shop");
    } else if (play->scene == 2 && !refresh_of(play, "shop")) {
        want_number(play, kept_entries(play), 0);
        delete_refresh(play, "nightly-b");
    }
}

static void check_found_again(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, play->scene, 2);
    want_roles(play, "shop", "main", "InUse Previous");
    want_roles(play, "shop", "sessions", "InUse Previous");
    want_number(play, memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 2);
}

static void check_found_again_and_removed(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, play->scene, 2);
    want_roles(play, "shop", "main", "InUse");
    want_roles(play, "shop", "sessions", "InUse");
    want_number(play, memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 1);
}

static void check_written_down(struct play *play, const struct json *shop UNUSED)
{
    want_there(play, "shop", false);
    want_number(play, kept_entries(play), 2);
    want_number(play, memory_leftover_count(memory_of(play)), 2);
    want_clusters(play, 1);
}

static void check_forgotten(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 1);
    want_part(play, events(play), "LeftoverForgotten");
}

static void check_both_written_down(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, play->scene, 3);
    want_there(play, "nightly-b", false);
    want_number(play, kept_entries(play), 4);
    want_number(play, memory_leftover_count(memory_of(play)), 4);
    want_clusters(play, 2);
}

/* --- deleted while another object's run may have to be put back onto its copies --- */

static void put_right(void *arg UNUSED, struct scenario *scenario)
{
    scenario_control(scenario, "DELETE", "/_sim/faults", NULL);
}

static bool is_at(struct play *play, const char *name, const char *row, const char *state)
{
    json_each (step, json_at(refresh_of(play, name), "status.switchover.steps")) {
        if (text_equal(json_get_text(step, "name", ""), row))
            return text_equal(json_get_text(step, "state", ""), state);
    }
    return false;
}

/* What the first run has made. */
static const char *first_cluster(struct play *play)
{
    return json_get_text(first_version(play, "shop", is_success), "status.databases[0].copyIdentifier", "");
}

static const char *first_table(struct play *play)
{
    return json_get_text(first_version(play, "shop", is_success), "status.databases[1].copyIdentifier", "");
}

static bool has_cluster(struct play *play, const char *name)
{
    return named(json_at(staging_of(play), "rds.clusters"), "id", name) != NULL;
}

static bool has_table(struct play *play, const char *name)
{
    return named(json_at(staging_of(play), "dynamodb.tables"), "TableName", name) != NULL;
}

/* Proxies and parameters are on the new copies when the old ones' object goes; then it does not go on. */
static void delete_in_the_middle(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        create_refresh(play, "nightly-b", "{}");
    } else if (play->scene == 1 && is_at(play, "nightly-b", "Parameters/sessions-table", "Done") &&
               is_at(play, "nightly-b", "Parameters/db-host", "Done")) {
        scenario_control(play->scenario, "POST", "/_sim/faults",
                         "{\"match\": {\"operation\": \"UpdateService\"}, \"action\": \"refuse\"}");
        scenario_later(play->scenario, HOURS(2), put_right, NULL);
        delete_refresh(play, "shop");
    }
}

static void delete_before_it(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        create_refresh(play, "nightly-b", "{}");
    } else if (play->scene == 1 && is_in(play, "nightly-b", "Copying")) {
        delete_refresh(play, "shop");
    }
}

/* What a run has made in vain waits, too, for staging may be left on it; then it goes. */
static void delete_a_failure_beside_it(struct play *play, const struct json *object UNUSED)
{
    const struct json *shop = refresh_of(play, "shop");

    if (play->scene == 0 && is_in(play, "shop", "Preparing"))
        annotate(play, "shop", "cancel", json_get_text(shop, "status.run.id", ""));
    else if (play->scene == 1 && json_at(shop, "status.run.completionTime"))
        create_refresh(play, "nightly-b", "{}");
    else if (play->scene == 2 && is_in(play, "nightly-b", "Copying"))
        delete_refresh(play, "shop");
}

static void check_only_the_new_one_is_left(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, play->scene, 3);
    want_roles(play, "nightly-b", "main", "InUse");
    want_number(play, memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 1);
}

static void check_put_back_onto_them(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, play->scene, 2);
    want_there(play, "shop", false);
    want_text(play, condition_text(refresh_of(play, "nightly-b"), "Succeeded", "status"), "False");
    want_text(play, proxy_target(play), first_cluster(play));
    want_text(play, parameter(play, "/shop/stg/sessions_table"), first_table(play));
    want(play, has_cluster(play, first_cluster(play)));
    want(play, has_table(play, first_table(play)));
}

static void check_taken_over_by_it(struct play *play, const struct json *shop UNUSED)
{
    want_number(play, play->scene, 2);
    want_roles(play, "nightly-b", "main", "InUse Previous");
    want_number(play, memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 2);
}

/* --- what the parameter of another object names --- */

/* As shop's, but for the one that names the table. */
#define FEWER                                                                                               \
    "\"switchover\": {\"parameters\": [{\"name\": \"db-host\", \"value\": \"$(databases.main.endpoint)\", " \
    "\"ssm\": {\"name\": \"/shop/stg/db_host\"}}, {\"name\": \"app-secret\", \"value\": "                   \
    "\"$(databases.main.endpoint)\", \"secretsManager\": {\"secretID\": \"shop/stg/app\", \"key\": "        \
    "\"DB_HOST\"}}]}"
#define FEWER_AND_NONE "{\"spec\": {\"retention\": {\"previousCopies\": 0}, " FEWER "}}"

static void follow_with_fewer(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        create_refresh(play, "nightly-b", FEWER_AND_NONE);
    }
}

static void delete_and_follow_with_fewer(struct play *play, const struct json *object UNUSED)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        delete_refresh(play, "shop");
    } else if (play->scene == 1 && !refresh_of(play, "shop")) {
        create_refresh(play, "nightly-b", FEWER_AND_NONE);
    }
}

/* It knows of the copy when its object goes, and is to keep none only then. */
static void follow_with_fewer_and_delete(struct play *play, const struct json *object UNUSED)
{
    const struct object_id id = refresh_id("nightly-b");

    if (play->scene == 0 && has_succeeded(play, "shop")) {
        create_refresh(play, "nightly-b", "{\"spec\": {" FEWER "}}");
    } else if (play->scene == 1 && has_succeeded(play, "nightly-b")) {
        delete_refresh(play, "shop");
    } else if (play->scene == 2 && !refresh_of(play, "shop")) {
        play->scene++;
        memory_patch(memory_of(play), &id,
                     "{\"spec\": {\"trigger\": \"again\", \"retention\": {\"previousCopies\": 0}}}");
    }
}

static void check_table_stays(struct play *play, const struct json *shop UNUSED)
{
    want_text(play, parameter(play, "/shop/stg/sessions_table"), first_table(play));
    want(play, has_table(play, first_table(play)));
    want(play, !has_cluster(play, first_cluster(play)));
    /* The event would be gone with a process that ends right after the write. */
    want_part(play, row_text(refresh_of(play, "nightly-b"), "Retention", "message"), first_table(play));
}

/* --- */

#define DELETE_COPIES "deletionPolicy: Delete"

static const struct story stories[] = {
    {.name = "nobody follows", .edits = {DELETION, BRIEF}, .check = check_held},
    {.name = "nobody follows, and copies are to go", .edits = {DELETION, BRIEF_DELETE}, .check = check_held},
    {.name = "who follows fails",
     .edits = {DELETION, BRIEF},
     .script = follow_and_fail,
     .check = check_held_after_a_failure},
    {.name = "who follows succeeds", .edits = {DELETION, BRIEF}, .script = follow, .check = check_taken_over},
    {.name = "who follows succeeds and keeps none",
     .edits = {DELETION, BRIEF},
     .script = follow_and_keep_none,
     .check = check_taken_over_and_removed},
    {.name = "deleted, and applied anew", .script = apply_anew, .check = check_found_again},
    {.name = "deleted with what is not used, and applied anew",
     .edits = {DELETION, DELETE_COPIES},
     .script = apply_anew,
     .check = check_found_again},
    {.name = "deleted, and applied anew to keep none",
     .script = apply_anew_and_keep_none,
     .check = check_found_again_and_removed},
    {.name = "deleted", .script = delete_it, .check = check_written_down},
    {.name = "deleted, and nobody comes for a month",
     .settle_ms = DAYS(31),
     .script = delete_it,
     .check = check_forgotten},
    {.name = "deleted in the middle of another's switchover",
     .edits = {DELETION, DELETE_COPIES},
     .script = delete_in_the_middle,
     .check = check_put_back_onto_them},
    {.name = "deleted before another's switchover",
     .edits = {DELETION, DELETE_COPIES},
     .script = delete_before_it,
     .check = check_taken_over_by_it},
    {.name = "a failure is deleted during another's run",
     .script = delete_a_failure_beside_it,
     .check = check_only_the_new_one_is_left},
    {.name = "another object's parameter names it", .script = follow_with_fewer, .check = check_table_stays},
    {.name = "the parameter of an object that was deleted names it",
     .script = delete_and_follow_with_fewer,
     .check = check_table_stays},
    {.name = "the parameter of an object that has gone since names it",
     .script = follow_with_fewer_and_delete,
     .check = check_table_stays},
    {.name = "one after the other is deleted", .script = delete_both, .check = check_both_written_down},
};

static void nothing_is_forgotten(void **state UNUSED)
{
    assert_true(stories_play(&(struct stories){.name = "keeping",
                                               .items = stories,
                                               .count = COUNT_OF(stories),
                                               .rounds = 20,
                                               .settle_ms = HOURS(6)}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, nothing_is_forgotten);
    return tests_run(&tests, "keeping");
}
