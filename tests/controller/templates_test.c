/* manifests/aws against the tables of operations and of what AWS checks besides: each role may do what the
 * client can ask of its account, and a Source's role no more than that. */
#include "controller/policies.h"
#include "pkg/base/yaml.h"
#include "tests/testing/assertions.h"

/* Where IAM's name differs from the operation's:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/ */
static const struct renamed {
    enum aws_op op;
    const char *action;
} renamed[] = {
    {.op = AWS_OP_INVOKE, .action = "lambda:InvokeFunction"},
    {.op = AWS_OP_DELETE_MESSAGE_BATCH, .action = "sqs:DeleteMessage"},
};

/* Needs no permission, or is asked of the controller's own identity. */
static const enum aws_op free_ops[] = {AWS_OP_GET_CALLER_IDENTITY, AWS_OP_ASSUME_ROLE,
                                       AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY};

/* Backups and copies run on the production side only. */
static const enum aws_op source_only[] = {
    AWS_OP_START_BACKUP_JOB, AWS_OP_DESCRIBE_BACKUP_JOB, AWS_OP_LIST_BACKUP_JOBS, AWS_OP_STOP_BACKUP_JOB,
    AWS_OP_START_COPY_JOB,   AWS_OP_DESCRIBE_COPY_JOB,   AWS_OP_LIST_COPY_JOBS,
};

static bool is_in(const enum aws_op *list, size_t count, enum aws_op op)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == op)
            return true;
    return false;
}

static char *action_of(enum aws_op op)
{
    const struct aws_operation *operation = aws_operation(op);

    for (size_t i = 0; i < COUNT_OF(renamed); i++)
        if (renamed[i].op == op)
            return xstrdup(renamed[i].action);
    return xasprintf("%s:%s", aws_service_info(operation->service)->signing_name, operation->name);
}

/* ---- the actions of a role ---- */

static void add_actions(const struct json *document, struct json *actions)
{
    json_each (statement, json_member(document, "Statement")) {
        const struct json *action = json_member(statement, "Action");

        assert_text_equal(json_get_text(statement, "Effect", NULL), "Allow");
        if (json_is(action, JSON_STRING))
            json_append_text(actions, json_get_text(action, NULL, ""));
        json_each (item, action)
            json_append_text(actions, json_get_text(item, NULL, ""));
    }
}

static bool has(const struct json *actions, const char *action)
{
    json_each (item, actions)
        if (text_equal(json_get_text(item, NULL, ""), action))
            return true;
    return false;
}

/* Of the resource "Role": its own policies, and those that are attached to it. Yours. */
static struct json *actions_of(const char *path)
{
    AUTO_YAML struct yaml_docs docs = {0};
    struct json *actions = json_new_array();

    assert_no_err(yaml_read_file(path, NULL, &docs));
    const struct json *resources = json_member(yaml_root(docs.items[0]), "Resources");
    json_each (policy, json_at(resources, "Role.Properties.Policies"))
        add_actions(json_member(policy, "PolicyDocument"), actions);
    json_each (resource, resources)
        if (text_equal(json_get_text(resource, "Type", NULL), "AWS::IAM::Policy")) {
            assert_text_equal(json_get_text(resource, "Properties.Roles[0].Ref", NULL), "Role");
            add_actions(json_at(resource, "Properties.PolicyDocument"), actions);
        }
    return actions;
}

/* What a call needs besides its own action. Yours. */
static struct json *companions_of(bool is_source)
{
    struct json *actions = json_new_array();
    struct policies_companion companion;

    json_append_text(actions, "iam:PassRole"); /* of the one role that is handed over */
    for (size_t i = 0; policies_companion(i, &companion); i++)
        if (is_source ? companion.on_source : companion.on_target)
            json_append_text(actions, companion.action);
    return actions;
}

static void assert_companions(const struct json *actions, bool is_source)
{
    AUTO_JSON struct json *companions = companions_of(is_source);

    json_each (item, companions)
        if (!has(actions, json_get_text(item, NULL, "")))
            fail_msg("%s: not allowed", json_get_text(item, NULL, ""));
}

static void test_the_target_may_do_all_that_is_asked_of_it(void **state)
{
    AUTO_JSON struct json *actions = actions_of("manifests/aws/target-account.yaml");

    (void)state;
    for (size_t op = 0; op < AWS_OP_COUNT; op++) {
        AUTO_FREE char *action = action_of((enum aws_op)op);

        if (is_in(free_ops, COUNT_OF(free_ops), (enum aws_op)op))
            continue;
        if (has(actions, action) == is_in(source_only, COUNT_OF(source_only), (enum aws_op)op))
            fail_msg("%s: %s", action, has(actions, action) ? "allowed, and never asked" : "not allowed");
    }
    assert_companions(actions, false);
}

static void test_the_source_may_do_its_list_and_nothing_else(void **state)
{
    AUTO_JSON struct json *actions = actions_of("manifests/aws/source-account.yaml");
    AUTO_JSON struct json *list = companions_of(true);

    (void)state;
    assert_companions(actions, true);
    for (size_t op = 0; op < AWS_OP_COUNT; op++) {
        AUTO_FREE char *action = action_of((enum aws_op)op);

        if (!aws_operation_on_source((enum aws_op)op) || is_in(free_ops, COUNT_OF(free_ops), (enum aws_op)op))
            continue;
        json_append_text(list, action);
        if (!has(actions, action))
            fail_msg("%s: not allowed", action);
    }
    json_each (item, actions)
        if (!has(list, json_get_text(item, NULL, "")))
            fail_msg("%s: allowed, and never asked", json_get_text(item, NULL, ""));
}

/* ---- both ---- */

static const struct file_row {
    const char *name, *path;
} file_rows[] = {
    {.name = "source", .path = "manifests/aws/source-account.yaml"},
    {.name = "target", .path = "manifests/aws/target-account.yaml"},
};

/* It works in every partition, and each parameter says what it is. */
static void test_template(void **state)
{
    const struct file_row *row = *state;
    AUTO_YAML struct yaml_docs docs = {0};

    assert_no_err(yaml_read_file(row->path, NULL, &docs));
    const struct json *root = yaml_root(docs.items[0]);
    AUTO_FREE char *text = json_to_text(json_member(root, "Resources"));
    assert_text_lacks(text, "arn:aws");
    assert_text_lacks(text, "amazonaws.com.cn");
    json_each (parameter, json_member(root, "Parameters"))
        if (text_is_empty(json_get_text(parameter, "Description", NULL)))
            fail_msg("%s has no description", json_key(parameter));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, test_the_target_may_do_all_that_is_asked_of_it);
    TEST(&tests, test_the_source_may_do_its_list_and_nothing_else);
    TEST_ROWS(&tests, test_template, file_rows);
    return tests_run(&tests, "aws templates");
}
