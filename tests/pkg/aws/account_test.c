/* An account's own credentials: the role that is assumed, and whose they are. */
#include "pkg/aws/client.h"

#include "pkg/aws/backup.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/sts.h"
#include "pkg/aws/traffic.h"
#include "tests/pkg/aws/credentials_fixture.h"
#include "tests/pkg/aws/fixture.h"

#define ASSUME(...) .name = "AssumeRole", .body_contains = {"Action=AssumeRole&"}, __VA_ARGS__
#define STS_EXPIRED \
    .status = 403,  \
    .reply = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error></ErrorResponse>"

struct role_scene {
    struct testing_env t;
    struct aws_config config;
    struct credentials_cache *identity;
    struct aws_account *account;
    struct aws_client aws;
    int64_t told_ms; /* the last end of credentials that was told, and how many there were */
    int told, told_own;
    int assumed; /* requests of AssumeRole that were told */
};

static void hear_credentials(void *arg, const struct aws_credentials_seen *seen)
{
    struct role_scene *scene = arg;

    if (!seen->account_id) {
        scene->told_own++;
        return;
    }
    assert_text_equal(seen->account_id, FIXTURE_ACCOUNT);
    assert_number(seen->fetched_ms, sched_wall_ms(scene->t.env.sched));
    scene->told_ms = seen->expires_ms;
    scene->told++;
}

static void hear_call(void *arg, const struct aws_call_seen *seen)
{
    struct role_scene *scene = arg;

    if (text_equal(seen->operation, "AssumeRole")) {
        assert_text_equal(seen->account_id, NULL);
        scene->assumed++;
    }
}

/* role_arn: NULL when the account is to be called with the identity itself. */
static void scene_init(struct role_scene *scene, const char *const *variables, const char *role_arn,
                       const struct exchange *exchanges, size_t count)
{
    *scene = (struct role_scene){0};
    testing_env_init(&scene->t, 1, exchanges, count, NULL);
    read_variables(variables, &scene->config);
    scene->config.traffic = aws_traffic_new(
        &(struct aws_listener){.on_call = hear_call, .on_credentials = hear_credentials, .arg = scene});
    scene->identity = credentials_default_new(&scene->config);
    assert_no_err(aws_account_new(
        &(struct aws_account_opts){
            .account_id = FIXTURE_ACCOUNT,
            .region = FIXTURE_REGION,
            .usage = AWS_SOURCE,
            .config = &scene->config,
            .identity = scene->identity,
            .role_arn = role_arn,
            .external_id = role_arn ? "staging-cluster" : NULL,
        },
        &scene->account));
    scene->aws = (struct aws_client){.account = scene->account, .env = &scene->t.env};
}

static void role_init(struct role_scene *scene, const struct exchange *exchanges, size_t count)
{
    static const char *const own[VARIABLES_MAX] = {"AWS_ACCESS_KEY_ID=AKIAOWN",
                                                   "AWS_SECRET_ACCESS_KEY=own-secret"};

    scene_init(scene, own, "arn:aws:iam::222222222222:role/staging-refresh", exchanges, count);
}

static void role_done(struct role_scene *scene)
{
    aws_account_unref(scene->account);
    credentials_cache_free(scene->identity);
    aws_traffic_free(scene->config.traffic);
    aws_config_done(&scene->config);
    testing_env_done(&scene->t);
}

static struct err *whoami(struct role_scene *scene)
{
    AUTO_STS_IDENTITY struct sts_identity identity = {0};

    return sts_get_caller_identity(&scene->aws, &identity);
}

static void assumes_the_role_and_checks_it(void **state)
{
    static const struct exchange exchanges[] = {
        {ASSUME(.host = "sts.ap-northeast-1.amazonaws.com", .headers = {"Credential=AKIAOWN/"},
                .body = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%"
                        "3Arole%2Fstaging-refresh"
                        "&RoleSessionName=stagingrefresh&ExternalId=staging-cluster&DurationSeconds=3600",
                .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE"))},
        {.headers = {"Credential=AKIAROLE/", "x-amz-security-token: role-token=="},
         .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT),
         .times = 2},
    };
    struct role_scene scene;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(whoami(&scene));
    assert_true(script_sent(scene.t.script, 0)->sensitive);
    assert_number(scene.told, 1);
    assert_number(scene.told_ms, AT_17);
    assert_number(scene.told_own, 1);
    assert_number(scene.assumed, 1);
    role_done(&scene);
}

static void names_the_role_when_refused(void **state)
{
    static const struct exchange exchanges[] = {
        {ASSUME(.status = 403,
                .reply = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
                         "<RequestId>q</RequestId></ErrorResponse>")},
    };
    struct role_scene scene;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_fails(
        whoami(&scene), ERR_DENIED,
        "credentials of account 222222222222: assume role arn:aws:iam::222222222222:role/staging-refresh "
        "(its "
        "trust policy and the caller's own policies must allow sts:AssumeRole, and sts:TagSession where the "
        "caller's session has tags, as with EKS Pod Identity): sts AssumeRole: AccessDenied: not you "
        "(request q)");
    role_done(&scene);
}

/* The refused ones are the controller's own: they are fetched anew, and the role is asked for again. */
static void renews_its_own_identity(void **state)
{
    static const struct exchange exchanges[] = {
        {ASSUME(STS_EXPIRED)},
        {ASSUME(.reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE"))},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT), .times = 2},
    };
    struct role_scene scene;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(whoami(&scene));
    role_done(&scene);
}

static void checks_the_account_at_every_refresh(void **state)
{
    static const struct exchange exchanges[] = {
        {ASSUME(.reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE"))},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT), .times = 2},
        {ASSUME(.reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE2"))},
        {.headers = {"Credential=AKIAROLE2/"}, .reply = WHOAMI_REPLY("111111111111")},
    };
    struct role_scene scene;
    int64_t later_ms;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(whoami(&scene));
    later_ms = sched_now_ms(scene.t.env.sched) + MINUTES(55);
    assert_true(sched_wait_until(scene.t.env.sched, NULL, later_ms));
    assert_fails(whoami(&scene), ERR_DENIED, "belong to account 111111111111");
    assert_number(scene.told, 1); /* those are nobody's */
    role_done(&scene);
}

struct clock_row {
    const char *name;
    const char *expiration, *date; /* by STS's clock; ours says 16:00 */
    int64_t want_ms;               /* by ours */
};

static const struct clock_row clock_rows[] = {
    {"the same", "2026-11-22T17:00:00Z", "date: Sun, 22 Nov 2026 16:00:00 GMT", TESTING_WALL_MS + HOURS(1)},
    {"about the same", "2026-11-22T17:00:00Z", "date: Sun, 22 Nov 2026 16:01:00 GMT",
     TESTING_WALL_MS + HOURS(1)},
    {"ours is ahead", "2026-11-22T15:00:00Z", "date: Sun, 22 Nov 2026 14:00:00 GMT",
     TESTING_WALL_MS + HOURS(1)},
    {"ours is behind", "2026-11-22T17:30:00Z", "date: Sun, 22 Nov 2026 16:30:00 GMT",
     TESTING_WALL_MS + HOURS(1)},
    {"theirs is not told", "2026-11-22T17:30:00Z", NULL, TESTING_WALL_MS + MINUTES(90)},
};

/* When to renew is measured by our clock, which need not be right. */
static void measures_the_end_by_its_own_clock(void **state)
{
    const struct clock_row *row = *state;
    AUTO_FREE char *reply = xasprintf(STS_CREDENTIALS_UNTIL("AssumeRole", "AKIAROLE", "%s"), row->expiration);
    const struct exchange exchanges[] = {
        {ASSUME(.reply = reply, .reply_headers = {row->date})},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT), .times = 2},
    };
    struct role_scene scene;

    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(whoami(&scene));
    assert_number(scene.told_ms, row->want_ms);
    role_done(&scene);
}

/* --- no role: the identity as it is --- */

#define FILE_KEYS(id) \
    "[default]\naws_access_key_id = " id "\naws_secret_access_key = s\naws_session_token = t\n"
#define FROM(key) .headers = {"Credential=" key "/"}
#define STS_MISMATCH                                                                             \
    .status = 403, .reply = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></" \
                            "ErrorResponse>"
#define NOT_OURS .reply = WHOAMI_REPLY("111111111111")
#define OURS .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)

struct renewal_row {
    const char *name;
    struct exchange first[3]; /* while the file holds AKIAOLD */
    size_t first_count;
    enum err_kind kind;
    const char *fails;         /* NULL: it works */
    struct exchange second[6]; /* AKIANEW */
    size_t second_count;
};

static const struct renewal_row renewal_rows[] = {
    {.name = "rejected at first use, then the file is new",
     .first = {{FROM("AKIAOLD"), STS_EXPIRED}},
     .first_count = 1,
     .kind = ERR_DENIED,
     .fails = "ExpiredToken",
     .second = {{FROM("AKIAOLD"), STS_EXPIRED}, {FROM("AKIANEW"), OURS, .times = 2}},
     .second_count = 2},
    {.name = "rejected in use, then the file is new",
     .first = {{FROM("AKIAOLD"), OURS, .times = 2}},
     .first_count = 1,
     .second = {{FROM("AKIAOLD"), STS_EXPIRED}, {FROM("AKIANEW"), OURS, .times = 2}},
     .second_count = 2},
    {.name = "somebody else's, then the file is corrected",
     .first = {{FROM("AKIAOLD"), NOT_OURS}},
     .first_count = 1,
     .kind = ERR_DENIED,
     .fails = "belong to account 111111111111",
     .second = {{FROM("AKIAOLD"), NOT_OURS}, {FROM("AKIANEW"), OURS, .times = 2}},
     .second_count = 2},
    {.name = "a wrong secret, then the file is corrected",
     .first = {{FROM("AKIAOLD"), STS_MISMATCH}},
     .first_count = 1,
     .kind = ERR_DENIED,
     .fails = "SignatureDoesNotMatch",
     .second = {{FROM("AKIAOLD"), STS_MISMATCH}, {FROM("AKIANEW"), OURS, .times = 2}},
     .second_count = 2},
    {.name = "no answer is not a rejection",
     .first = {{FROM("AKIAOLD"), .fail = "connection refused", .times = 3}},
     .first_count = 1,
     .kind = ERR_RETRY,
     .fails = "connection refused",
     .second = {{FROM("AKIAOLD"), OURS, .times = 2}},
     .second_count = 1},
};

/* Nobody else would ever read it again: the identity is kept as long as nothing says that it is no good. */
static void reads_a_rejected_identity_anew(void **state)
{
    const struct renewal_row *row = *state;
    AUTO_SHARED_FILE struct shared_file file = {0};
    AUTO_FREE char *variable = NULL;
    const char *variables[VARIABLES_MAX] = {"AWS_CONFIG_FILE=/dev/null"};
    struct role_scene scene;

    shared_file_write(&file, FILE_KEYS("AKIAOLD"));
    variables[1] = variable = xasprintf("AWS_SHARED_CREDENTIALS_FILE=%s", file.path);
    variables[2] = "AWS_REGION=" FIXTURE_REGION;
    scene_init(&scene, variables, NULL, row->first, row->first_count);
    script_add(scene.t.script, row->second, row->second_count);
    if (row->fails)
        assert_fails(whoami(&scene), row->kind, row->fails);
    else
        assert_no_err(whoami(&scene));
    shared_file_write(&file, FILE_KEYS("AKIANEW"));
    assert_no_err(whoami(&scene));
    role_done(&scene);
}

/* --- what has no credentials has seen nothing --- */

#define LOST_TOKEN "AWS_ROLE_ARN=r", "AWS_WEB_IDENTITY_TOKEN_FILE="

struct lost_row {
    const char *name;
    const char *variables[VARIABLES_MAX];
    struct exchange exchanges[1];
    size_t count;
    enum err_kind kind;
    const char *fails;
};

/* Nobody has been asked yet: what was to be looked at need not be gone. */
static const struct lost_row lost_rows[] = {
    {.name = "the token file is gone",
     .variables = {LOST_TOKEN "/nowhere/token"},
     .kind = ERR_DENIED,
     .fails = "credentials from the web identity: web identity token: /nowhere/token: No such file"},
    {.name = "the token file is empty",
     .variables = {LOST_TOKEN "/dev/null"},
     .kind = ERR_INVALID,
     .fails = "web identity token: /dev/null is empty"},
    {.name = "the container's token file is gone",
     .variables = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials",
                   "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/nowhere/token"},
     .kind = ERR_DENIED,
     .fails = "container authorization token: /nowhere/token: No such file"},
    {.name = "half a key",
     .variables = {"AWS_ACCESS_KEY_ID=AKIAENV"},
     .kind = ERR_INVALID,
     .fails = "must be set together"},
    {.name = "STS says that something else is not found",
     .variables = {LOST_TOKEN SR_SOURCE_DIR "/tests/data/aws/token"},
     .exchanges = {{.status = 404,
                    .reply = "<ErrorResponse><Error><Code>ProviderNotFound</Code></Error></ErrorResponse>"}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "sts AssumeRoleWithWebIdentity: ProviderNotFound"},
    {.name = "STS says that something else is wrong",
     .variables = {LOST_TOKEN SR_SOURCE_DIR "/tests/data/aws/token"},
     .exchanges = {{.status = 400,
                    .reply = "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>"}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "sts AssumeRoleWithWebIdentity: ValidationError"},
    {.name = "STS is busy",
     .variables = {LOST_TOKEN SR_SOURCE_DIR "/tests/data/aws/token"},
     .exchanges = {{.status = 503, .times = 3}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails = "sts AssumeRoleWithWebIdentity: HTTP status 503"},
};

static void tells_lost_credentials_from_a_lost_thing(void **state)
{
    const struct lost_row *row = *state;
    const char *variables[VARIABLES_MAX] = {"AWS_REGION=" FIXTURE_REGION, "AWS_EC2_METADATA_DISABLED=true"};
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    struct role_scene scene;
    struct err *err;

    for (size_t i = 0; row->variables[i]; i++)
        variables[i + 2] = row->variables[i];
    for (size_t with_role = 0; with_role <= 1; with_role++) {
        scene_init(&scene, variables, with_role ? "arn:aws:iam::222222222222:role/staging-refresh" : NULL,
                   row->exchanges, row->count);
        err = rds_describe_cluster(&scene.aws, "stg", &cluster);
        assert_err_contains(err, "credentials of account 222222222222");
        assert_fails(err, row->kind, row->fails);
        role_done(&scene);
    }
}

/* --- in somebody's name --- */

#define NAMED "RoleSessionName=staging.shop.r1&"
#define TAGS "Tags.member.1.Key=stagingrefresh.dev%2Frun&Tags.member.1.Value=r1"
#define DENIED     \
    .status = 403, \
    .reply =       \
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no tags</Message></Error></ErrorResponse>"
#define STOP_JOB .method = "POST", .path = "/backup-jobs/j1"

static const struct aws_pair actor_tags[] = {{.name = "stagingrefresh.dev/run", .value = "r1"}};
static const struct aws_actor actor = {
    .session_name = "staging.shop.r1", .tags = actor_tags, .tag_count = COUNT_OF(actor_tags)};

static struct err *stop_job(struct role_scene *scene)
{
    const struct aws_client aws = {.account = scene->account, .env = &scene->t.env, .actor = &actor};

    return backup_stop_backup(&aws, "j1");
}

static struct err *look_at_job(struct role_scene *scene)
{
    const struct aws_client aws = {.account = scene->account, .env = &scene->t.env, .actor = &actor};
    AUTO_BACKUP_JOB struct backup_job job = {0};

    return backup_describe_backup(&aws, "j1", &job);
}

/* Changes carry the actor's name; looks, which many share, the account's. Both sessions are begun once, and
 * only the account's own is told of. */
static void changes_in_the_name_of_an_actor(void **state)
{
    static const struct exchange exchanges[] = {
        {.name = "AssumeRole",
         .body_contains = {NAMED, TAGS},
         .headers = {"Credential=AKIAOWN/"},
         .reply = STS_CREDENTIALS("AssumeRole", "AKIANAMED")},
        {.headers = {"Credential=AKIANAMED/"}, .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {STOP_JOB, .headers = {"Credential=AKIANAMED/"}, .times = 2},
        {ASSUME(.body_lacks = {"Tags"}, .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE"))},
        {.headers = {"Credential=AKIAROLE/"}, .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {.method = "GET", .headers = {"Credential=AKIAROLE/"}, .reply = "{\"State\":\"RUNNING\"}"},
        {STOP_JOB, .headers = {"Credential=AKIANAMED/"}},
    };
    struct role_scene scene;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(stop_job(&scene));
    assert_no_err(stop_job(&scene));
    assert_number(scene.told, 0);
    assert_no_err(look_at_job(&scene));
    assert_number(scene.told, 1);
    assert_no_err(stop_job(&scene));
    role_done(&scene);
}

/* Where the trust policy lacks sts:TagSession it goes without, and is not tried again for an hour. */
static void goes_without_tags_where_they_are_denied(void **state)
{
    static const struct exchange exchanges[] = {
        {.name = "with tags", .body_contains = {NAMED, TAGS}, DENIED},
        {.name = "without",
         .body_contains = {NAMED},
         .body_lacks = {"Tags"},
         .reply = STS_CREDENTIALS("AssumeRole", "AKIANAMED")},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {STOP_JOB},
        {.name = "again, without",
         .body_contains = {NAMED},
         .body_lacks = {"Tags"},
         .reply = STS_CREDENTIALS("AssumeRole", "AKIANAMED2")},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {STOP_JOB},
        {.name = "an hour later", .body_contains = {NAMED, TAGS}, DENIED},
        {.name = "nor without",
         .body_lacks = {"Tags"},
         .status = 403,
         .reply = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
                  "</ErrorResponse>"},
    };
    AUTO_FREE char *log = NULL;
    struct role_scene scene;
    int64_t began_ms;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    began_ms = sched_now_ms(scene.t.env.sched);
    assert_no_err(stop_job(&scene));
    assert_true(sched_wait_until(scene.t.env.sched, NULL, began_ms + MINUTES(55)));
    assert_no_err(stop_job(&scene));
    assert_true(sched_wait_until(scene.t.env.sched, NULL, began_ms + MINUTES(121)));
    assert_fails(stop_job(&scene), ERR_DENIED, "AccessDenied: not you");
    log = testing_env_log(&scene.t);
    assert_text_contains(log, "the role may not be assumed with tags (sts:TagSession)");
    role_done(&scene);
}

/* "Revoke active sessions" denies everything to the sessions that began before; a new one works at once. */
static void begins_a_new_session_when_denied(void **state)
{
    static const char revoked[] =
        "{\"__type\":\"AccessDeniedException\",\"message\":\"User: u is not authorized to perform: "
        "backup:StopBackupJob on resource: r with an explicit deny in an identity-based policy\"}";
    static const struct exchange exchanges[] = {
        {ASSUME(.reply = STS_CREDENTIALS("AssumeRole", "AKIANAMED"))},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {STOP_JOB, FROM("AKIANAMED")},
        {STOP_JOB, FROM("AKIANAMED"), .status = 403, .reply = revoked},
        {ASSUME(.reply = STS_CREDENTIALS("AssumeRole", "AKIANEW"))},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {STOP_JOB, FROM("AKIANEW")},
        /* Denied for good. */
        {STOP_JOB, FROM("AKIANEW"), .status = 403, .reply = revoked},
    };
    struct role_scene scene;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(stop_job(&scene));
    assert_true(sched_wait_until(scene.t.env.sched, NULL, sched_now_ms(scene.t.env.sched) + MINUTES(2)));
    assert_no_err(stop_job(&scene));
    assert_true(sched_wait_until(scene.t.env.sched, NULL, sched_now_ms(scene.t.env.sched) + MINUTES(2)));
    assert_fails(stop_job(&scene), ERR_DENIED, "explicit deny");
    role_done(&scene);
}

static void keeps_secrets_out_of_the_log(void **state)
{
    static const struct exchange exchanges[] = {
        {ASSUME(.reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE"))},
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT), .times = 2},
    };
    AUTO_FREE char *log = NULL;
    struct role_scene scene;

    (void)state;
    role_init(&scene, exchanges, COUNT_OF(exchanges));
    assert_no_err(whoami(&scene));
    log = testing_env_log(&scene.t);
    assert_text_contains(log, "AssumeRole");
    assert_text_lacks(log, "role-secret");
    assert_text_lacks(log, "role-token");
    assert_text_lacks(log, "own-secret");
    role_done(&scene);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, assumes_the_role_and_checks_it);
    TEST(&tests, names_the_role_when_refused);
    TEST(&tests, renews_its_own_identity);
    TEST(&tests, checks_the_account_at_every_refresh);
    TEST_ROWS(&tests, measures_the_end_by_its_own_clock, clock_rows);
    TEST_ROWS(&tests, reads_a_rejected_identity_anew, renewal_rows);
    TEST_ROWS(&tests, tells_lost_credentials_from_a_lost_thing, lost_rows);
    TEST(&tests, changes_in_the_name_of_an_actor);
    TEST(&tests, goes_without_tags_where_they_are_denied);
    TEST(&tests, begins_a_new_session_when_denied);
    TEST(&tests, keeps_secrets_out_of_the_log);
    return tests_run(&tests, "account");
}
