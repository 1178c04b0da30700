/* IAM: users with keys, roles with trust, and what they may do (a list of action patterns; resources are not
 * looked at). */
#include "hack/awssim/core.h"

struct access_key {
    char *id, *secret;
};

struct user {
    char *name, *arn, *user_id;
    const struct json *key_list; /* while loading */
    LIST(struct access_key) keys;
    struct json *allow;
};

struct iam_role {
    char *name, *arn, *role_id;
    const struct json *trust_list; /* while loading */
    struct json *trust, *allow, *managed;
    int64_t max_session_ms;
};

struct iam_state {
    LIST(struct user) users;
    LIST(struct iam_role) roles;
};

extern const struct service iam_service;

static struct iam_state *state_of(const struct account *account)
{
    return account_state(account, &iam_service);
}

/* AWS' managed policies, as far as AWS Backup uses them here. */
static const struct managed_policy {
    const char *name;
    const char *actions;
} managed_policies[] = {
    {.name = "AWSBackupServiceRolePolicyForBackup",
     .actions =
         "backup:DescribeBackupVault backup:CopyIntoBackupVault backup:CopyFromBackupVault "
         "rds:CreateDBClusterSnapshot rds:CopyDBClusterSnapshot rds:ModifyDBClusterSnapshotAttribute "
         "rds:DescribeDBClusters rds:DescribeDBClusterSnapshots rds:DeleteDBClusterSnapshot "
         "rds:AddTagsToResource rds:ListTagsForResource dynamodb:StartAwsBackupJob dynamodb:DescribeTable "
         "dynamodb:ListTagsOfResource kms:CreateGrant kms:DescribeKey"},
    {.name = "AWSBackupServiceRolePolicyForRestores",
     .actions =
         "rds:RestoreDBClusterFromSnapshot rds:DescribeDBClusters rds:AddTagsToResource rds:DeleteDBCluster "
         "rds:CreateDBInstance dynamodb:RestoreTableFromAwsBackup dynamodb:DescribeTable "
         "dynamodb:DeleteTable dynamodb:PutItem dynamodb:BatchWriteItem kms:DescribeKey kms:Decrypt "
         "kms:Encrypt kms:GenerateDataKey kms:ReEncryptTo kms:ReEncryptFrom kms:CreateGrant"},
};

/* ---- loading ---- */

static const struct load_field section_fields[] = {
    {.name = "users", .type = LOAD_LIST, .offset = 0},
    {.name = "roles", .type = LOAD_LIST, .offset = sizeof(const struct json *)},
};
static const struct load_field key_fields[] = {
    {.name = "id", .type = LOAD_TEXT, .offset = offsetof(struct access_key, id), .required = true},
    {.name = "secret", .type = LOAD_TEXT, .offset = offsetof(struct access_key, secret), .required = true},
};
static const struct load_field user_fields[] = {
    {.name = "name", .type = LOAD_TEXT, .offset = offsetof(struct user, name), .required = true},
    {.name = "accessKeys", .type = LOAD_LIST, .offset = offsetof(struct user, key_list)},
    {.name = "allow", .type = LOAD_TEXTS, .offset = offsetof(struct user, allow)},
};
static const struct load_field role_fields[] = {
    {.name = "name", .type = LOAD_TEXT, .offset = offsetof(struct iam_role, name), .required = true},
    {.name = "trust", .type = LOAD_LIST, .offset = offsetof(struct iam_role, trust_list), .required = true},
    {.name = "maxSession", .type = LOAD_DURATION, .offset = offsetof(struct iam_role, max_session_ms)},
    {.name = "allow", .type = LOAD_TEXTS, .offset = offsetof(struct iam_role, allow)},
    {.name = "managed", .type = LOAD_TEXTS, .offset = offsetof(struct iam_role, managed)},
};

struct trust {
    char *service, *principal, *external_id, *federated, *subject, *audience;
    bool tag_session;
};
static const struct load_field trust_fields[] = {
    {.name = "service", .type = LOAD_TEXT, .offset = offsetof(struct trust, service)},
    {.name = "principal", .type = LOAD_TEXT, .offset = offsetof(struct trust, principal)},
    {.name = "externalID", .type = LOAD_TEXT, .offset = offsetof(struct trust, external_id)},
    {.name = "federated", .type = LOAD_TEXT, .offset = offsetof(struct trust, federated)},
    {.name = "subject", .type = LOAD_TEXT, .offset = offsetof(struct trust, subject)},
    {.name = "audience", .type = LOAD_TEXT, .offset = offsetof(struct trust, audience)},
    {.name = "tagSession", .type = LOAD_BOOL, .offset = offsetof(struct trust, tag_session)},
};

static char *iam_arn(const struct account *account, const char *kind, const char *name)
{
    return xasprintf("arn:%s:iam::%s:%s/%s", account->partition, account->id, kind, name);
}

static struct err *load_user(const struct loader *loader, struct account *account, const struct json *node)
{
    struct user *user = LIST_ADD(state_of(account)->users);

    TRY(load_fields(loader, node, user_fields, COUNT_OF(user_fields), user));
    user->arn = iam_arn(account, "user", user->name);
    AUTO_FREE char *tail = sim_new_token(account->sim, ALPHABET_BASE32, 16);
    user->user_id = xasprintf("AIDA%s", tail);
    json_each (item, user->key_list) {
        struct access_key *key = LIST_ADD(user->keys);

        TRY(load_fields(loader, item, key_fields, COUNT_OF(key_fields), key));
    }
    user->key_list = NULL;
    return NULL;
}

static struct err *check_trust(const struct loader *loader, const struct json *node)
{
    struct trust trust = {0};
    struct err *err = load_fields(loader, node, trust_fields, COUNT_OF(trust_fields), &trust);
    int kinds = (trust.service != NULL) + (trust.principal != NULL) + (trust.federated != NULL);

    xfree(trust.service);
    xfree(trust.principal);
    xfree(trust.external_id);
    xfree(trust.federated);
    xfree(trust.subject);
    xfree(trust.audience);
    TRY(err);
    return kinds == 1 ? NULL : load_error(loader, node, "needs exactly one of service, principal, federated");
}

static const struct managed_policy *managed_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(managed_policies); i++)
        if (text_equal(managed_policies[i].name, name))
            return &managed_policies[i];
    return NULL;
}

static struct err *load_role(const struct loader *loader, struct account *account, const struct json *node)
{
    struct iam_role *role = LIST_ADD(state_of(account)->roles);

    role->max_session_ms = HOURS(1);
    TRY(load_fields(loader, node, role_fields, COUNT_OF(role_fields), role));
    role->arn = iam_arn(account, "role", role->name);
    AUTO_FREE char *tail = sim_new_token(account->sim, ALPHABET_BASE32, 16);
    role->role_id = xasprintf("AROA%s", tail);
    json_each (item, role->trust_list)
        TRY(check_trust(loader, item));
    role->trust = json_copy(role->trust_list);
    role->trust_list = NULL;
    json_each (name, role->managed)
        if (!managed_find(json_get_text(name, NULL, "")))
            return load_error(loader, node, "managed: this simulator knows no policy %s",
                              json_get_text(name, NULL, ""));
    return NULL;
}

static struct err *iam_load(const struct loader *loader, struct account *account, const struct json *section)
{
    const struct json *lists[2] = {NULL, NULL};

    if (!section)
        return NULL;
    TRY(load_fields(loader, section, section_fields, COUNT_OF(section_fields), lists));
    json_each (node, lists[0])
        TRY(load_user(loader, account, node));
    json_each (node, lists[1])
        TRY(load_role(loader, account, node));
    return NULL;
}

static void iam_done(struct account *account)
{
    struct iam_state *state = state_of(account);

    for (size_t i = 0; i < state->users.count; i++) {
        struct user *user = &state->users.items[i];

        for (size_t k = 0; k < user->keys.count; k++) {
            xfree(user->keys.items[k].id);
            xfree(user->keys.items[k].secret);
        }
        xfree(user->keys.items);
        xfree(user->name);
        xfree(user->arn);
        xfree(user->user_id);
        json_free(user->allow);
    }
    for (size_t i = 0; i < state->roles.count; i++) {
        struct iam_role *role = &state->roles.items[i];

        xfree(role->name);
        xfree(role->arn);
        xfree(role->role_id);
        json_free(role->trust);
        json_free(role->allow);
        json_free(role->managed);
    }
    xfree(state->users.items);
    xfree(state->roles.items);
}

/* ---- what others ask ---- */

static const struct iam_role *role_by_name(const struct sim *sim, const char *account_id, const char *name)
{
    for (size_t a = 0; a < sim->account_count; a++) {
        const struct iam_state *state = state_of(sim->accounts[a]);

        if (!text_equal(sim->accounts[a]->id, account_id))
            continue;
        for (size_t i = 0; i < state->roles.count; i++)
            if (text_equal(state->roles.items[i].name, name))
                return &state->roles.items[i];
    }
    return NULL;
}

static const struct iam_role *role_by_arn(const struct sim *sim, const char *arn, const struct account **ret)
{
    for (size_t a = 0; a < sim->account_count; a++) {
        const struct iam_state *state = state_of(sim->accounts[a]);

        for (size_t i = 0; i < state->roles.count; i++)
            if (text_equal(state->roles.items[i].arn, arn)) {
                *ret = sim->accounts[a];
                return &state->roles.items[i];
            }
    }
    return NULL;
}

bool sim_role_find(const struct sim *sim, const char *role_arn, struct role *ret)
{
    const struct account *account = NULL;
    const struct iam_role *role = role_by_arn(sim, role_arn, &account);

    if (!role)
        return false;
    *ret = (struct role){.account = account,
                         .name = role->name,
                         .arn = role->arn,
                         .id = role->role_id,
                         .max_session_ms = role->max_session_ms,
                         .trust = role->trust};
    return true;
}

bool sim_role_trusts_service(const struct sim *sim, const char *role_arn, const char *service_principal)
{
    struct role role;

    if (!sim_role_find(sim, role_arn, &role))
        return false;
    json_each (item, role.trust)
        if (text_equal(json_get_text(item, "service", NULL), service_principal))
            return true;
    return false;
}

static bool list_allows(const struct json *patterns, const char *action)
{
    json_each (item, patterns)
        if (text_matches(json_get_text(item, NULL, ""), action))
            return true;
    return false;
}

static bool managed_allows(const struct json *names, const char *action)
{
    json_each (name, names) {
        /* Unknown names were refused when the world was read. */
        const struct managed_policy *policy = managed_find(json_get_text(name, NULL, ""));
        struct str rest = str_of(policy ? policy->actions : ""), one;

        while (str_cut(&rest, ' ', &one))
            if (str_is(one, action))
                return true;
    }
    return false;
}

bool sim_role_may(const struct sim *sim, const char *role_arn, const char *action)
{
    const struct account *account = NULL;
    const struct iam_role *role = role_by_arn(sim, role_arn, &account);

    return role && (list_allows(role->allow, action) || managed_allows(role->managed, action));
}

bool sim_principal_may(const struct principal *who, const char *action)
{
    return list_allows(who->allow, action);
}

static bool find_session(const struct sim *sim, const char *access_key_id, struct principal *ret)
{
    for (size_t i = 0; i < sim->sessions.count; i++) {
        const struct session *session = &sim->sessions.items[i];

        if (!text_equal(session->access_key_id, access_key_id))
            continue;
        const struct iam_role *role = role_by_name(sim, session->account_id, session->role_name);
        *ret = (struct principal){.arn = session->arn,
                                  .user_id = session->user_id,
                                  .account_id = session->account_id,
                                  .secret = session->secret,
                                  .session_token = session->token,
                                  .role_name = session->role_name,
                                  .allow = role ? role->allow : NULL,
                                  .expires_wall_ms = session->expires_wall_ms};
        return true;
    }
    return false;
}

bool sim_principal_find(const struct sim *sim, const char *access_key_id, struct principal *ret)
{
    for (size_t a = 0; a < sim->account_count; a++) {
        const struct iam_state *state = state_of(sim->accounts[a]);

        for (size_t i = 0; i < state->users.count; i++)
            for (size_t k = 0; k < state->users.items[i].keys.count; k++) {
                const struct user *user = &state->users.items[i];

                if (!text_equal(user->keys.items[k].id, access_key_id))
                    continue;
                *ret = (struct principal){.arn = user->arn,
                                          .user_id = user->user_id,
                                          .account_id = sim->accounts[a]->id,
                                          .secret = user->keys.items[k].secret,
                                          .allow = user->allow,
                                          .expires_wall_ms = NEVER_MS};
                return true;
            }
    }
    return find_session(sim, access_key_id, ret);
}

/* ---- SimulatePrincipalPolicy ---- */

static bool may_of_source(const struct call *call, const char *source, const char *action, bool *ret_known)
{
    const struct account *account = NULL;
    const struct iam_state *state = state_of(call->account);
    const struct iam_role *role = role_by_arn(call->sim, source, &account);

    *ret_known = role && text_equal(account->id, call->account->id);
    if (*ret_known)
        return sim_role_may(call->sim, source, action);
    for (size_t i = 0; i < state->users.count; i++)
        if (text_equal(state->users.items[i].arn, source)) {
            *ret_known = true;
            return list_allows(state->users.items[i].allow, action);
        }
    return false;
}

static bool simulate_principal_policy(struct call *call)
{
    const char *source = call_text(call, "PolicySourceArn");
    const struct json *actions = call_list(call, "ActionNames.member");
    const char *resource = call_text(call, "ResourceArns.member[0]");
    struct arn arn;
    struct json *results = json_new_array(), *wrap = json_new_object();

    json_set(wrap, "member", results);
    json_set(call->out, "EvaluationResults", wrap);
    if (!sim_arn_parse(source, &arn) || !str_is(arn.service, "iam"))
        return call_refuse(call, 400, "InvalidInput",
                           "Invalid Entity Arn: %s does not clearly define entity type and name.", source);
    json_set_bool(call->out, "IsTruncated", false);
    json_each (item, actions) {
        const char *action = json_get_text(item, NULL, "");
        struct json *row = json_new_object();
        bool known = false;

        json_set_text(row, "EvalActionName", action);
        json_set_text(row, "EvalResourceName", resource ? resource : "*");
        json_set_text(row, "EvalDecision",
                      may_of_source(call, source, action, &known) ? "allowed" : "implicitDeny");
        json_append(results, row);
        if (!known)
            return call_refuse(call, 404, "NoSuchEntity", "The entity %s cannot be found.", source);
    }
    return true;
}

static struct json *iam_dump(struct account *account)
{
    const struct iam_state *state = state_of(account);
    struct json *out = json_new_object(), *users = json_new_array(), *roles = json_new_array();

    for (size_t i = 0; i < state->users.count; i++)
        json_append_text(users, state->users.items[i].arn);
    for (size_t i = 0; i < state->roles.count; i++)
        json_append_text(roles, state->roles.items[i].arn);
    json_set(out, "users", users);
    json_set(out, "roles", roles);
    return out;
}

static const struct operation operations[] = {
    {.name = "SimulatePrincipalPolicy",
     .handle = simulate_principal_policy,
     .input = "PolicySourceArn! ActionNames!:list ResourceArns:list ContextEntries:list MaxItems:int Marker"},
};

const struct service iam_service = {
    .name = "iam",
    .section = "iam",
    .protocol = PROTOCOL_QUERY,
    .version = "2010-05-08",
    .xml_namespace = "https://iam.amazonaws.com/doc/2010-05-08/",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct iam_state),
    .load = iam_load,
    .dump = iam_dump,
    .done = iam_done,
};
