/* Two accounts with databases and all that hangs on them, and what the tests of the services share. */
#ifndef TESTS_AWSSIM_SERVICES_WORLD_H
#define TESTS_AWSSIM_SERVICES_WORLD_H

#include "hack/awssim/service.h"
#include "tests/hack/awssim/client_fixture.h"
#include "tests/testing/fill_gaps.h"

#define STG "222222222222"
#define PROD "111111111111"
#define ARN(account, service, resource) "arn:aws:" service ":ap-northeast-1:" account ":" resource

static const char services_world_format[] =
    "organization: {id: o-one, crossAccountBackup: true}\n%s"
    "accounts:\n"
    "- id: '" STG "'\n"
    "  name: staging\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n"
    "  kms:\n"
    "    keys: [{id: key-stg, alias: alias/staging}, {id: key-off, state: Disabled}]\n"
    "  secretsmanager:\n"
    "    secrets:\n"
    "    - {name: db, fields: {username: admin, password: old-password}}\n"
    "    - {name: db-app, fields: {username: app, password: app-password}}\n"
    "    - {name: owned, value: x, owner: rds}\n"
    "    - {name: gone, value: x, deleted: true}\n"
    "  rds:\n"
    "    hostPart: chost\n"
    "    subnetGroups: [{name: stg, vpc: vpc-1}, {name: default, vpc: vpc-0, default: true}]\n"
    "    securityGroups:\n"
    "    - {id: sg-db, vpc: vpc-1, from: [sg-proxy]}\n"
    "    - {id: sg-closed, vpc: vpc-1}\n"
    "    - {id: sg-proxy, vpc: vpc-1}\n"
    "    - {id: sg-else, vpc: vpc-2}\n"
    "    - {id: sg-default, vpc: vpc-0, default: true}\n"
    "    clusterParameterGroups: [{name: my8, family: aurora-mysql8.0}, {name: pg16, family: "
    "aurora-postgresql16}]\n"
    "    clusters:\n"
    "    - {id: old, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin,\n"
    "       masterPassword: old-password, users: {app: app-password}, subnetGroup: stg, securityGroups: "
    "[sg-db],\n"
    "       parameterGroup: my8, key: alias/staging, sizeGiB: 10, tags: {env: staging},\n"
    "       instances: [{id: old-a, class: db.r6g.large}]}\n"
    "    - {id: new, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin,\n"
    "       masterPassword: prod-password, users: {app: app-password}, subnetGroup: stg, securityGroups: "
    "[sg-db],\n"
    "       instances: [{id: new-a, class: db.r6g.large}, {id: new-b, class: db.r6g.large, promotionTier: "
    "2}]}\n"
    "    - {id: empty, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: "
    "admin,\n"
    "       masterPassword: prod-password, subnetGroup: stg, securityGroups: [sg-closed]}\n"
    "    - {id: elsewhere, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: "
    "admin,\n"
    "       masterPassword: prod-password, subnetGroup: default, securityGroups: [sg-default],\n"
    "       instances: [{id: elsewhere-a, class: db.r6g.large}]}\n"
    "    - {id: postgres, engine: aurora-postgresql, engineVersion: '16.4', masterUsername: admin,\n"
    "       masterPassword: prod-password, subnetGroup: stg, securityGroups: [sg-closed], status: "
    "backing-up,\n"
    "       instances: [{id: postgres-a, class: db.r6g.large}]}\n"
    "    - {id: guarded, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: "
    "admin,\n"
    "       masterPassword: prod-password, subnetGroup: stg, securityGroups: [sg-db], deletionProtection: "
    "true}\n"
    "    proxies:\n"
    "    - {name: px, engineFamily: MYSQL, vpc: vpc-1, securityGroups: [sg-proxy], role: r, auth: "
    "[{secret: db}],\n"
    "       target: old}\n%s"
    "  dynamodb:\n"
    "    tables:\n"
    "    - {name: plain, hashKey: 'id:S', billingMode: PAY_PER_REQUEST, tags: {env: staging}}\n"
    "    - {name: guarded, hashKey: 'id:S', readUnits: 5, writeUnits: 5, deletionProtection: true}\n%s"
    "- id: '" PROD "'\n"
    "  name: production\n"
    "  region: ap-northeast-1\n"
    "  kms:\n"
    "    keys: [{id: key-prod, alias: alias/prod}]\n"
    "  rds:\n"
    "    subnetGroups: [{name: prod, vpc: vpc-p}]\n"
    "    securityGroups: [{id: sg-prod, vpc: vpc-p}]\n"
    "    clusters:\n"
    "    - {id: shop, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.04.0, masterUsername: root,\n"
    "       masterPassword: prod-password, subnetGroup: prod, securityGroups: [sg-prod], key: alias/prod,\n"
    "       tags: {env: production}, sizeGiB: 7}\n"
    "  dynamodb:\n"
    "    tables:\n"
    "    - {name: sessions, hashKey: 'id:S', rangeKey: 'at:N', readUnits: 50, writeUnits: 20, timeToLive: "
    "expires,\n"
    "       stream: NEW_IMAGE, pointInTimeRecovery: true, deletionProtection: true, encryption: "
    "CustomerManaged,\n"
    "       key: alias/prod, items: 12, sizeBytes: 345, tags: {env: production},\n"
    "       indexes: [{name: by-user, hashKey: 'user:S', readUnits: 1, writeUnits: 1}],\n"
    "       localIndexes: [{name: by-age, rangeKey: 'age:N'}]}\n";

/* The world's text, yours. `top` goes above the accounts (durations), `rds` into staging's rds section,
 * `more` behind staging's sections. */
static inline char *services_world(const char *top, const char *rds, const char *more)
{
    const char *parts[] = {top, rds, more};

    return fill_gaps(services_world_format, parts);
}

static inline void services_world_init(struct awssim_client *asker, const char *top, const char *rds,
                                       const char *more)
{
    AUTO_FREE char *text = services_world(top, rds, more);

    awssim_client_init(asker, text);
}

static const char *services_more;

static inline int services_set_up(void **state UNUSED)
{
    services_world_init(&client, "", "", services_more);
    return 0;
}

/* As tests_in(), with `more` behind staging's sections. */
static inline struct tests tests_in_services(const char *more)
{
    services_more = more;
    return (struct tests){.set_up = services_set_up, .tear_down = client_tear_down};
}

/* What the journal says of the last mutating call. */
static inline void expect_effect(struct awssim_client *asker, const char *effect, const char *resource_part)
{
    assert_number(awssim_control(asker, "GET", "/_sim/journal", NULL), 200);
    const struct json *last = json_item(asker->json, json_count(asker->json) - 1);

    assert_text_equal(json_get_text(last, "effect", NULL), effect);
    assert_text_contains(json_get_text(last, "resource", ""), resource_part);
}

static inline void expect_xml(struct awssim_client *asker, const char *tag, size_t index, const char *want)
{
    AUTO_FREE char *got = awssim_xml(asker, tag, index);

    assert_text_equal(got, want);
}

/* Staging as GET /_sim/world shows it: world_part(&client, "rds.clusters[0]"). */
static inline const struct json *world_part(struct awssim_client *asker, const char *path)
{
    assert_number(awssim_control(asker, "GET", "/_sim/world", NULL), 200);
    json_each (account, json_member(asker->json, "accounts"))
        if (text_equal(json_get_text(account, "id", ""), STG))
            return json_at(account, path);
    return NULL;
}

#endif
