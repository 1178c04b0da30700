/* KMS, as far as others look at keys: who owns one, whether it works, with whom it is shared. Every account
 * has the keys that AWS manages (aws/backup, aws/rds, ...) without asking. */
#include "hack/awssim/core.h"
#include "pkg/base/digest.h"

struct kms_key {
    char *id, *arn, *alias, *state;
    struct json *shared_with; /* account ids, or ARNs of principals */
    bool aws_managed;
    struct account *account;
};

struct kms_state {
    LIST(struct kms_key) keys;
};

extern const struct service kms_service;

static struct kms_state *state_of(const struct account *account)
{
    return account_state(account, &kms_service);
}

/* ---- loading ---- */

static const char *const managed_aliases[] = {"alias/aws/backup", "alias/aws/rds", "alias/aws/dynamodb",
                                              "alias/aws/ssm", "alias/aws/secretsmanager"};

static const struct load_field section_fields[] = {
    {.name = "keys", .type = LOAD_LIST, .offset = 0},
};
static const struct load_field key_fields[] = {
    {.name = "id", .type = LOAD_TEXT, .offset = offsetof(struct kms_key, id), .required = true},
    {.name = "alias", .type = LOAD_TEXT, .offset = offsetof(struct kms_key, alias)},
    {.name = "state",
     .type = LOAD_TEXT,
     .offset = offsetof(struct kms_key, state),
     .choices = "Enabled Disabled PendingDeletion"},
    {.name = "sharedWith", .type = LOAD_TEXTS, .offset = offsetof(struct kms_key, shared_with)},
};

static void add_managed(struct account *account, const char *alias)
{
    struct kms_key *key = LIST_ADD(state_of(account)->keys);
    char hex[2 * SHA256_BYTES + 1];

    /* From the names, so that the random stream does not depend on how many such keys there are. */
    AUTO_FREE char *seed = xasprintf("%s/%s/%s", account->id, account->region, alias);
    sha256_hex(str_of(seed), hex);
    key->id = xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    key->arn = account_arn(account, "kms", "key/%s", key->id);
    key->alias = xstrdup(alias);
    key->state = xstrdup("Enabled");
    key->aws_managed = true;
    key->account = account;
}

static struct err *load_key(const struct loader *loader, struct account *account, const struct json *node)
{
    struct kms_key *key = LIST_ADD(state_of(account)->keys);

    key->state = xstrdup("Enabled");
    key->account = account;
    TRY(load_fields(loader, node, key_fields, COUNT_OF(key_fields), key));
    key->arn = account_arn(account, "kms", "key/%s", key->id);
    if (key->alias &&
        (!str_starts(str_of(key->alias), "alias/") || str_starts(str_of(key->alias), "alias/aws/")))
        return load_error(loader, node, "alias: must begin with alias/, and not with alias/aws/");
    return NULL;
}

static struct err *kms_load(const struct loader *loader, struct account *account, const struct json *section)
{
    const struct json *keys = NULL;

    for (size_t i = 0; i < COUNT_OF(managed_aliases); i++)
        add_managed(account, managed_aliases[i]);
    if (section)
        TRY(load_fields(loader, section, section_fields, COUNT_OF(section_fields), &keys));
    json_each (node, keys)
        TRY(load_key(loader, account, node));
    return NULL;
}

static void kms_done(struct account *account)
{
    struct kms_state *state = state_of(account);

    for (size_t i = 0; i < state->keys.count; i++) {
        struct kms_key *key = &state->keys.items[i];

        xfree(key->id);
        xfree(key->arn);
        xfree(key->alias);
        xfree(key->state);
        json_free(key->shared_with);
    }
    xfree(state->keys.items);
}

/* ---- what others ask ---- */

static bool is_called(const struct kms_key *key, const char *name)
{
    if (text_equal(key->arn, name))
        return true;
    AUTO_FREE char *alias_arn = key->alias ? account_arn(key->account, "kms", "%s", key->alias) : NULL;
    return text_equal(alias_arn, name);
}

const struct kms_key *kms_find(const struct account *account, const char *name)
{
    const struct kms_state *own = state_of(account);

    for (size_t i = 0; name && i < own->keys.count; i++)
        if (text_equal(own->keys.items[i].id, name) ||
            (own->keys.items[i].alias && text_equal(own->keys.items[i].alias, name)))
            return &own->keys.items[i];
    for (size_t a = 0; name && a < account->sim->account_count; a++) {
        const struct kms_state *state = state_of(account->sim->accounts[a]);

        for (size_t i = 0; i < state->keys.count; i++)
            if (is_called(&state->keys.items[i], name))
                return &state->keys.items[i];
    }
    return NULL;
}

const char *kms_arn(const struct kms_key *key)
{
    return key->arn;
}

bool kms_is_aws_managed(const struct kms_key *key)
{
    return key->aws_managed;
}

const char *kms_alias(const struct kms_key *key)
{
    return key->alias;
}

bool kms_is_enabled(const struct kms_key *key)
{
    return text_equal(key->state, "Enabled");
}

bool kms_is_shared_with(const struct kms_key *key, const char *account_id)
{
    AUTO_FREE char *inside = xasprintf(":%s:", account_id);

    if (text_equal(key->account->id, account_id))
        return true;
    json_each (item, key->shared_with) {
        const char *who = json_get_text(item, NULL, "");

        if (text_equal(who, account_id) || str_contains(str_of(who), inside))
            return true;
    }
    return false;
}

char *kms_why_unusable(const struct account *account, const char *name)
{
    const struct kms_key *key = kms_find(account, name);

    if (!key || !kms_is_shared_with(key, account->id))
        return xasprintf("The specified KMS key %s does not exist, is not enabled or you do not have "
                         "permissions to access it.",
                         name);
    if (!kms_is_enabled(key))
        return xasprintf("The KMS key %s is not enabled: its state is %s.", key->arn, key->state);
    return NULL;
}

/* ---- operations ---- */

/* Whether the key's policy itself names the caller: its account, or its role. A policy that names just AWS
 * Backup's role lets copies through and still refuses this. */
static bool admits_caller(const struct call *call, const struct kms_key *key)
{
    const struct principal *who = call->priv->who;

    if (text_equal(key->account->id, who->account_id))
        return true;
    json_each (item, key->shared_with) {
        const char *named = json_get_text(item, NULL, "");
        AUTO_FREE char *root = xasprintf(":iam::%s:root", who->account_id);
        AUTO_FREE char *role =
            xasprintf(":iam::%s:role/%s", who->account_id, who->role_name ? who->role_name : "-");

        if (text_equal(named, who->account_id) || str_ends(str_of(named), root) ||
            str_ends(str_of(named), role))
            return true;
    }
    return false;
}

static bool find_for_caller(struct call *call, const struct kms_key **ret)
{
    const char *name = call_text(call, "KeyId");
    const struct kms_key *key = kms_find(call->account, name);
    struct arn arn;

    if (str_starts(str_of(name), "arn:") && (!sim_arn_parse(name, &arn) || !str_is(arn.service, "kms")))
        return call_refuse(call, 400, "InvalidArnException", "%s is not a valid ARN", name);
    if (!key && str_starts(str_of(name), "arn:") && !str_is(arn.account, call->account->id))
        return call_refuse(call, 400, "AccessDeniedException",
                           "User: %s is not authorized to perform: kms:%s on resource: %s", call->principal,
                           call->operation->name, name);
    if (!key)
        return call_refuse(call, 400, "NotFoundException", "Key '%s' does not exist", name);
    if (!admits_caller(call, key))
        return call_refuse(call, 400, "AccessDeniedException",
                           "User: %s is not authorized to perform: kms:%s on resource: %s because no "
                           "resource-based policy allows the "
                           "kms:%s action",
                           call->principal, call->operation->name, key->arn, call->operation->name);
    *ret = key;
    return true;
}

static bool describe_key(struct call *call)
{
    const struct kms_key *key = NULL;

    if (!find_for_caller(call, &key))
        return false;
    struct json *out = json_new_object();
    json_set_text(out, "AWSAccountId", key->account->id);
    json_set_text(out, "KeyId", key->id);
    json_set_text(out, "Arn", key->arn);
    json_set_bool(out, "Enabled", kms_is_enabled(key));
    json_set_text(out, "KeyState", key->state);
    json_set_text(out, "KeyManager", key->aws_managed ? "AWS" : "CUSTOMER");
    json_set_text(out, "KeyUsage", "ENCRYPT_DECRYPT");
    json_set_text(out, "KeySpec", "SYMMETRIC_DEFAULT");
    json_set_text(out, "CustomerMasterKeySpec", "SYMMETRIC_DEFAULT");
    json_set_text(out, "Origin", "AWS_KMS");
    json_set_bool(out, "MultiRegion", false);
    json_set(call->out, "KeyMetadata", out);
    return true;
}

static struct json *statement(const char *sid, struct json *principals)
{
    struct json *out = json_new_object(), *principal = json_new_object(), *actions = json_new_array();

    json_set_text(out, "Sid", sid);
    json_set_text(out, "Effect", "Allow");
    json_set(principal, "AWS", principals);
    json_set(out, "Principal", principal);
    if (text_equal(sid, "Owner")) {
        json_append_text(actions, "kms:*");
    } else {
        static const char *const shared[] = {"kms:DescribeKey", "kms:Decrypt",          "kms:Encrypt",
                                             "kms:ReEncrypt*",  "kms:GenerateDataKey*", "kms:CreateGrant",
                                             "kms:ListGrants",  "kms:RevokeGrant"};

        for (size_t i = 0; i < COUNT_OF(shared); i++)
            json_append_text(actions, shared[i]);
    }
    json_set(out, "Action", actions);
    json_set_text(out, "Resource", "*");
    return out;
}

/* The policy that the world file means by sharedWith. */
static char *key_policy(const struct kms_key *key)
{
    AUTO_JSON struct json *policy = json_new_object();
    struct json *statements = json_new_array(), *owner = json_new_array(), *others = json_new_array();
    AUTO_FREE char *root = xasprintf("arn:%s:iam::%s:root", key->account->partition, key->account->id);

    json_append_text(owner, root);
    json_append(statements, statement("Owner", owner));
    json_each (item, key->shared_with) {
        const char *who = json_get_text(item, NULL, "");
        AUTO_FREE char *arn = str_starts(str_of(who), "arn:")
                                  ? xstrdup(who)
                                  : xasprintf("arn:%s:iam::%s:root", key->account->partition, who);

        json_append_text(others, arn);
    }
    if (json_count(others))
        json_append(statements, statement("Shared", others));
    else
        json_free(others);
    json_set_text(policy, "Version", "2012-10-17");
    json_set(policy, "Statement", statements);
    return json_to_text(policy);
}

static bool get_key_policy(struct call *call)
{
    const struct kms_key *key = NULL;

    const char *policy_name = call_text(call, "PolicyName");

    if (str_contains(str_of(call_text(call, "KeyId")), "alias/"))
        return call_refuse(call, 400, "NotFoundException", "Invalid keyId '%s'", call_text(call, "KeyId"));
    if (!find_for_caller(call, &key))
        return false;
    if (key->account != call->account)
        return call_refuse(call, 400, "AccessDeniedException",
                           "User: %s is not authorized to perform: kms:GetKeyPolicy on resource: %s",
                           call->principal, key->arn);
    if (policy_name && !text_equal(policy_name, "default"))
        return call_refuse(call, 400, "NotFoundException", "No such policy exists");
    AUTO_FREE char *policy = key_policy(key);
    json_set_text(call->out, "Policy", policy);
    json_set_text(call->out, "PolicyName", "default");
    return true;
}

static struct json *kms_dump(struct account *account)
{
    const struct kms_state *state = state_of(account);
    struct json *out = json_new_object(), *keys = json_new_array();

    for (size_t i = 0; i < state->keys.count; i++) {
        struct json *row = json_new_object();

        json_set_text(row, "arn", state->keys.items[i].arn);
        json_set_text(row, "alias", state->keys.items[i].alias);
        json_set_text(row, "state", state->keys.items[i].state);
        json_set_copy(row, "sharedWith", state->keys.items[i].shared_with);
        json_append(keys, row);
    }
    json_set(out, "keys", keys);
    return out;
}

static const struct operation operations[] = {
    {.name = "DescribeKey", .handle = describe_key, .input = "KeyId! GrantTokens:list"},
    {.name = "GetKeyPolicy", .handle = get_key_policy, .input = "KeyId! PolicyName"},
};

const struct service kms_service = {
    .name = "kms",
    .section = "kms",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "TrentService",
    .json_version = "1.1",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct kms_state),
    .load = kms_load,
    .dump = kms_dump,
    .done = kms_done,
};
