/* Objects of one series come and go, as a CronJob makes them: what their runs have made is in somebody's
 * record for as long as it is there, and goes when its turn has come. */
#include "pkg/refresh/status.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define FAULTS_MAX (16 * KIB)
#define DELETION "deletionPolicy: Retain"
#define BRIEF DELETION "\n  ttlSecondsAfterFinished: 3600"
#define BRIEF_DELETE "deletionPolicy: Delete\n  ttlSecondsAfterFinished: 3600"
#define FOR_EVER "\"ttlSecondsAfterFinished\": null"

struct play;
struct story {
    const char *name;
    const char *manifest_edits[5];
    int64_t settle_ms; /* 0: six hours */
    /* At each version of any of the objects. */
    void (*script)(struct play *play);
    void (*check)(struct play *play);
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    struct json *model; /* the first object, as it was at first */
    int scene;
    char *cluster, *table; /* the first copies */
    bool is_speaking;
    struct buf faults;
};

#define FAULT(play, ...)                        \
    do {                                        \
        buf_addf(&(play)->faults, __VA_ARGS__); \
        buf_adds(&(play)->faults, "\n");        \
    } while (0)

/* --- doing --- */

static struct memory *memory_of(struct play *play)
{
    return scenario_memory(play->scenario);
}

static struct object_id id_of(const char *name)
{
    return (struct object_id){.kind = OBJECT_REFRESH, .namespace = "staging", .name = name};
}

/* NULL: there is none, or none any more. */
static const struct json *object_of(struct play *play, const char *name)
{
    const struct object_id id = id_of(name);

    return memory_get(memory_of(play), &id);
}

static void create(struct play *play, const char *name, const char *spec_patch)
{
    AUTO_JSON struct json *manifest = json_copy(play->model);
    AUTO_JSON struct json *patch = NULL;
    AUTO_ERR struct err *err = json_parse(str_of(spec_patch), NULL, &patch);
    struct json *metadata = json_new_object();

    if (err)
        abort();
    json_set_text(metadata, "name", name);
    json_set_text(metadata, "namespace", "staging");
    json_set(manifest, "metadata", metadata);
    json_remove(manifest, "status");
    json_set_text(json_edit(manifest, "spec"), "series", "shop");
    json_set(manifest, "spec", json_merge_patch(json_copy(json_member(manifest, "spec")), patch));
    play->scene++;
    memory_create(memory_of(play), manifest);
}

static void delete (struct play *play, const char *name)
{
    const struct object_id id = id_of(name);

    play->scene++;
    memory_delete(memory_of(play), &id);
}

static void annotate(struct play *play, const char *name, const char *key, const char *value)
{
    const struct object_id id = id_of(name);
    AUTO_FREE char *patch =
        xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"%s\"}}}", key, value);

    play->scene++;
    memory_patch(memory_of(play), &id, patch);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;

    play->scenario = scenario;
    if (object && !play->model)
        play->model = json_copy(object);
    if (play->is_speaking || !play->story->script)
        return;
    play->is_speaking = true;
    play->story->script(play);
    play->is_speaking = false;
}

/* --- looking --- */

static const struct json *condition(const struct json *object, const char *type)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return condition;
    }
    return NULL;
}

static const char *condition_text(const struct json *object, const char *type, const char *member)
{
    return json_get_text(json_member(condition(object, type), member), NULL, "absent");
}

static bool has_succeeded(struct play *play, const char *name)
{
    const struct json *object = object_of(play, name);

    return json_at(object, "status.run.completionTime") &&
           text_equal(condition_text(object, "Succeeded", "status"), "True");
}

static bool is_in(struct play *play, const char *name, const char *phase)
{
    return text_equal(json_get_text(object_of(play, name), "status.phase", ""), phase);
}

static void want_there(struct play *play, const char *name, bool wanted)
{
    if ((object_of(play, name) != NULL) != wanted)
        FAULT(play, "%s is %s", name, wanted ? "gone" : "still there");
}

static void want_text(struct play *play, const char *what, const char *got, const char *want)
{
    if (!text_equal(got, want))
        FAULT(play, "%s is %s, expected %s", what, got, want);
}

static void want_number(struct play *play, const char *what, int64_t got, int64_t want)
{
    if (got != want)
        FAULT(play, "%s: %lld, expected %lld", what, (long long)got, (long long)want);
}

/* "Previous InUse": of the copies of a database, in order. */
static void want_roles(struct play *play, const char *name, const char *database, const char *want)
{
    AUTO_BUF struct buf text = BUF_MAX(KIB);

    json_each (copy, json_at(object_of(play, name), "status.copies")) {
        if (text_equal(json_get_text(copy, "database", ""), database))
            buf_addf(&text, "%s%s", text.len ? " " : "", json_get_text(copy, "role", "?"));
    }
    want_text(play, name, buf_text(&text), want);
}

static int64_t calls(struct play *play, const char *operation)
{
    return journal_count(scenario_journal(play->scenario), operation, NULL);
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
    const struct json *clusters = json_at(scenario_world(play->scenario), "accounts[1].rds.clusters");
    size_t ours = 0;

    json_each (cluster, clusters)
        ours += json_member(json_member(cluster, "tags"), "stagingrefresh.dev/run") != NULL;
    want_number(play, "clusters of ours", (int64_t)ours, (int64_t)want);
}

/* --- the time after the end --- */

static void follow(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        create(play, "nightly-b", "{" FOR_EVER "}");
}

static void follow_and_keep_none(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        create(play, "nightly-b", "{\"retention\": {\"previousCopies\": 0}, " FOR_EVER "}");
}

static void follow_and_fail(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        create(play, "nightly-b", "{" FOR_EVER "}");
    else if (play->scene == 1 && is_in(play, "nightly-b", "Copying"))
        annotate(play, "nightly-b", "cancel",
                 json_get_text(object_of(play, "nightly-b"), "status.run.id", ""));
}

/* Once that is said, nothing is written any more. */
static void want_held(struct play *play)
{
    const struct object_id id = id_of("shop");
    const struct json *object = object_of(play, "shop"), *said = NULL;

    want_there(play, "shop", true);
    want_text(play, "ExpiryHeld", condition_text(object, "ExpiryHeld", "status"), "True");
    if (!strstr(condition_text(object, "ExpiryHeld", "message"),
                json_get_text(object, "status.copies[0].identifier", "none")))
        FAULT(play, "ExpiryHeld does not name the copy: %s", condition_text(object, "ExpiryHeld", "message"));
    for (size_t i = 0; i < memory_version_count(memory_of(play), &id); i++) {
        const struct json *version = memory_version(memory_of(play), &id, i);

        if (said && !json_equal(json_member(version, "status"), json_member(said, "status")))
            FAULT(play, "written again after it was said");
        if (condition(version, "ExpiryHeld"))
            said = version;
    }
}

static void check_held(struct play *play)
{
    want_held(play);
    want_number(play, "deleted clusters", calls(play, "DeleteDBCluster"), 0);
}

static void check_held_after_a_failure(struct play *play)
{
    want_held(play);
    want_text(play, "nightly-b", condition_text(object_of(play, "nightly-b"), "Succeeded", "status"),
              "False");
    want_roles(play, "shop", "main", "InUse");
}

static void check_taken_over(struct play *play)
{
    want_there(play, "shop", false);
    want_roles(play, "nightly-b", "main", "InUse Previous");
    want_roles(play, "nightly-b", "sessions", "InUse Previous");
    want_number(play, "deleted clusters", calls(play, "DeleteDBCluster"), 0);
}

static void check_taken_over_and_removed(struct play *play)
{
    want_there(play, "shop", false);
    want_roles(play, "nightly-b", "main", "InUse");
    want_roles(play, "nightly-b", "sessions", "InUse");
}

/* --- deleted by a person, or by what applies it anew --- */

/* Argo CD, as for a hook: the old one goes before the new one is there. */
static void apply_anew(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        delete (play, "shop");
    else if (play->scene == 1 && !object_of(play, "shop"))
        create(play, "shop", "{}");
}

static void apply_anew_and_keep_none(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        delete (play, "shop");
    else if (play->scene == 1 && !object_of(play, "shop"))
        create(play, "shop", "{\"retention\": {\"previousCopies\": 0}}");
}

static void delete_it(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop"))
        delete (play, "shop");
}

static void delete_both(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        create(play, "nightly-b", "{}");
    } else if (play->scene == 1 && has_succeeded(play, "nightly-b")) {
        delete (play, "shop");
    } else if (play->scene == 2 && !object_of(play, "shop")) {
        want_number(play, "entries while nightly-b knows", (int64_t)kept_entries(play), 0);
        delete (play, "nightly-b");
    }
}

static void check_found_again(struct play *play)
{
    want_number(play, "scenes", play->scene, 2);
    want_roles(play, "shop", "main", "InUse Previous");
    want_roles(play, "shop", "sessions", "InUse Previous");
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 2);
}

static void check_found_again_and_removed(struct play *play)
{
    want_number(play, "scenes", play->scene, 2);
    want_roles(play, "shop", "main", "InUse");
    want_roles(play, "shop", "sessions", "InUse");
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 1);
}

static void check_written_down(struct play *play)
{
    want_there(play, "shop", false);
    want_number(play, "entries of kept copies", (int64_t)kept_entries(play), 2);
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 2);
    want_clusters(play, 1);
}

static void check_forgotten(struct play *play)
{
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 1);
    if (!strstr(memory_events(memory_of(play)), "LeftoverForgotten"))
        FAULT(play, "nobody was told");
}

static void check_both_written_down(struct play *play)
{
    want_number(play, "scenes", play->scene, 3);
    want_there(play, "nightly-b", false);
    want_number(play, "entries of kept copies", (int64_t)kept_entries(play), 4);
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 4);
    want_clusters(play, 2);
}

/* --- deleted while another object's run may have to be put back onto its copies --- */

static void put_right(void *arg UNUSED, struct scenario *scenario)
{
    scenario_control(scenario, "DELETE", "/_sim/faults", NULL);
}

static bool is_at(struct play *play, const char *name, const char *row, const char *state)
{
    json_each (step, json_at(object_of(play, name), "status.switchover.steps")) {
        if (text_equal(json_get_text(step, "name", ""), row))
            return text_equal(json_get_text(step, "state", ""), state);
    }
    return false;
}

static void remember_first(struct play *play)
{
    text_replace(&play->cluster,
                 json_get_text(object_of(play, "shop"), "status.databases[0].copyIdentifier", ""));
    text_replace(&play->table,
                 json_get_text(object_of(play, "shop"), "status.databases[1].copyIdentifier", ""));
}

/* Proxies and parameters are on the new copies when the old ones' object goes; then it does not go on. */
static void delete_in_the_middle(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        remember_first(play);
        create(play, "nightly-b", "{}");
    } else if (play->scene == 1 && is_at(play, "nightly-b", "Parameters/sessions-table", "Done") &&
               is_at(play, "nightly-b", "Parameters/db-host", "Done")) {
        scenario_control(play->scenario, "POST", "/_sim/faults",
                         "{\"match\": {\"operation\": \"UpdateService\"}, \"action\": \"refuse\"}");
        scenario_later(play->scenario, HOURS(2), put_right, NULL);
        delete (play, "shop");
    }
}

static void delete_before_it(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        remember_first(play);
        create(play, "nightly-b", "{}");
    } else if (play->scene == 1 && is_in(play, "nightly-b", "Copying")) {
        delete (play, "shop");
    }
}

/* What a run has made in vain waits, too, for staging may be left on it; then it goes. */
static void delete_a_failure_beside_it(struct play *play)
{
    const struct json *shop = object_of(play, "shop");

    if (play->scene == 0 && is_in(play, "shop", "Preparing"))
        annotate(play, "shop", "cancel", json_get_text(shop, "status.run.id", ""));
    else if (play->scene == 1 && json_at(shop, "status.run.completionTime"))
        create(play, "nightly-b", "{}");
    else if (play->scene == 2 && is_in(play, "nightly-b", "Copying"))
        delete (play, "shop");
}

static void check_only_the_new_one_is_left(struct play *play)
{
    want_number(play, "scenes", play->scene, 3);
    want_roles(play, "nightly-b", "main", "InUse");
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 1);
}

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), name))
            return item;
    }
    return NULL;
}

static void check_put_back_onto_them(struct play *play)
{
    const struct json *staging;

    want_number(play, "scenes", play->scene, 2);
    want_there(play, "shop", false);
    want_text(play, "nightly-b", condition_text(object_of(play, "nightly-b"), "Succeeded", "status"),
              "False");
    staging = json_at(scenario_world(play->scenario), "accounts[1]");
    want_text(play, "the proxy's target", json_get_text(staging, "rds.proxies[0].target", ""), play->cluster);
    want_text(play, "the parameter",
              json_get_text(named(json_at(staging, "ssm.parameters"), "name", "/shop/stg/sessions_table"),
                            "value", ""),
              play->table);
    if (!named(json_at(staging, "rds.clusters"), "id", play->cluster))
        FAULT(play, "the cluster that staging uses is gone");
    if (!named(json_at(staging, "dynamodb.tables"), "TableName", play->table))
        FAULT(play, "the table that staging uses is gone");
}

static void check_taken_over_by_it(struct play *play)
{
    want_number(play, "scenes", play->scene, 2);
    want_roles(play, "nightly-b", "main", "InUse Previous");
    want_number(play, "entries", (int64_t)memory_leftover_count(memory_of(play)), 0);
    want_clusters(play, 2);
}

/* --- what the parameter of another object names --- */

/* As shop's, but for the one that names the table. */
#define FEWER                                                                                               \
    "\"switchover\": {\"parameters\": [{\"name\": \"db-host\", \"value\": \"$(databases.main.endpoint)\", " \
    "\"ssm\": {\"name\": \"/shop/stg/db_host\"}}, {\"name\": \"app-secret\", \"value\": "                   \
    "\"$(databases.main.endpoint)\", \"secretsManager\": {\"secretID\": \"shop/stg/app\", \"key\": "        \
    "\"DB_HOST\"}}]}"
#define FEWER_AND_NONE "{\"retention\": {\"previousCopies\": 0}, " FEWER "}"

static void follow_with_fewer(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        remember_first(play);
        create(play, "nightly-b", FEWER_AND_NONE);
    }
}

static void delete_and_follow_with_fewer(struct play *play)
{
    if (play->scene == 0 && has_succeeded(play, "shop")) {
        remember_first(play);
        delete (play, "shop");
    } else if (play->scene == 1 && !object_of(play, "shop")) {
        create(play, "nightly-b", FEWER_AND_NONE);
    }
}

/* It knows of the copy when its object goes, and is to keep none only then. */
static void follow_with_fewer_and_delete(struct play *play)
{
    const struct object_id id = id_of("nightly-b");

    if (play->scene == 0 && has_succeeded(play, "shop")) {
        remember_first(play);
        create(play, "nightly-b", "{" FEWER "}");
    } else if (play->scene == 1 && has_succeeded(play, "nightly-b")) {
        delete (play, "shop");
    } else if (play->scene == 2 && !object_of(play, "shop")) {
        play->scene++;
        memory_patch(memory_of(play), &id,
                     "{\"spec\": {\"trigger\": \"again\", \"retention\": {\"previousCopies\": 0}}}");
    }
}

static void check_table_stays(struct play *play)
{
    const struct json *staging = json_at(scenario_world(play->scenario), "accounts[1]");

    want_text(play, "the parameter",
              json_get_text(named(json_at(staging, "ssm.parameters"), "name", "/shop/stg/sessions_table"),
                            "value", ""),
              play->table);
    if (!named(json_at(staging, "dynamodb.tables"), "TableName", play->table))
        FAULT(play, "the table that a parameter names is gone");
    if (named(json_at(staging, "rds.clusters"), "id", play->cluster))
        FAULT(play, "the cluster that nobody names is still there");
    if (!strstr(memory_events(memory_of(play)), "NotRemoved"))
        FAULT(play, "nobody was told");
}

/* --- */

#define DELETE_COPIES "deletionPolicy: Delete"

static const struct story stories[] = {
    {.name = "nobody follows", .manifest_edits = {DELETION, BRIEF}, .check = check_held},
    {.name = "nobody follows, and copies are to go",
     .manifest_edits = {DELETION, BRIEF_DELETE},
     .check = check_held},
    {.name = "who follows fails",
     .manifest_edits = {DELETION, BRIEF},
     .script = follow_and_fail,
     .check = check_held_after_a_failure},
    {.name = "who follows succeeds",
     .manifest_edits = {DELETION, BRIEF},
     .script = follow,
     .check = check_taken_over},
    {.name = "who follows succeeds and keeps none",
     .manifest_edits = {DELETION, BRIEF},
     .script = follow_and_keep_none,
     .check = check_taken_over_and_removed},
    {.name = "deleted, and applied anew", .script = apply_anew, .check = check_found_again},
    {.name = "deleted with what is not used, and applied anew",
     .manifest_edits = {DELETION, DELETE_COPIES},
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
     .manifest_edits = {DELETION, DELETE_COPIES},
     .script = delete_in_the_middle,
     .check = check_put_back_onto_them},
    {.name = "deleted before another's switchover",
     .manifest_edits = {DELETION, DELETE_COPIES},
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

static char *play_story(uint64_t seed, void *arg UNUSED)
{
    struct play play = {.story = &stories[seed % COUNT_OF(stories)], .faults = BUF_MAX(FAULTS_MAX)};
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    char *faults = NULL;

    variant_init(&variant, seed);
    variant.opts.on_write = heard;
    variant.opts.on_write_arg = &play;
    variant.opts.settle_ms = play.story->settle_ms ? play.story->settle_ms : HOURS(6);
    if (play.story->manifest_edits[0])
        variant.opts.manifest_edits = play.story->manifest_edits;
    if (seed / COUNT_OF(stories) % 2)
        variant_add_crashes(&variant, 300);
    scenario = scenario_new(&variant.opts);
    play.scenario = scenario;
    scenario_run(scenario);
    play.story->check(&play);
    if (play.faults.len)
        faults = xasprintf("%s: %s", play.story->name, buf_text(&play.faults));
    buf_done(&play.faults);
    json_free(play.model);
    xfree(play.cluster);
    xfree(play.table);
    return faults;
}

static void nothing_is_forgotten(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "keeping",
                                          .first = 0,
                                          .count = 20 * COUNT_OF(stories),
                                          .kind = SEEDS_MANY,
                                          .check = play_story}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, nothing_is_forgotten);
    return tests_run(&tests, "keeping");
}
