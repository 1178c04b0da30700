/* EventBridge: buses, rules and targets. What its files share. */
#ifndef AWSSIM_EVENTS_H
#define AWSSIM_EVENTS_H

#include "hack/awssim/core.h"

extern const struct service events_service;

#define EVENTS_PRINCIPAL "events.amazonaws.com"

struct events_bus {
    char *name, *arn;
    struct json *policy; /* NULL: nobody else may send to it */
    int64_t created_ms;
};

struct events_target {
    char *id, *arn, *role_arn, *dead_letter; /* the latter two NULL: none */
    struct json *wire;                       /* as it was put */
    int64_t delivered, failed;
    char *failure; /* the latest; NULL: none */
};

struct events_rule {
    char *name, *bus, *arn, *description, *role_arn, *pattern_text;
    struct json *pattern;
    bool disabled;
    LIST(struct events_target) targets;
};

/* An event on its way to a bus. */
struct events_pending {
    int64_t due_ms;
    char *bus;
    struct json *event; /* the envelope */
    bool forwarded;     /* came from a bus: goes to no third one */
};

struct events_state {
    LIST(struct events_bus) buses; /* the first is "default" */
    LIST(struct events_rule) rules;
    LIST(struct events_pending) pending;
    struct random *stream;
};

struct events_state *sim_events_state_of(const struct account *account);
/* By name or ARN; NULL or "": the default one. NULL: none such here. */
struct events_bus *sim_events_bus_find(const struct account *account, const char *name);
struct events_bus *sim_events_bus_by_arn(const struct sim *sim, const char *arn,
                                         struct account **ret_account);
struct events_bus *sim_events_bus_add(struct account *account, const char *name);
struct events_rule *sim_events_rule_find(const struct account *account, const char *bus, const char *name);
struct events_rule *sim_events_rule_add(struct account *account, const char *bus, const char *name);
void sim_events_rule_remove(struct account *account, struct events_rule *rule);
void sim_events_target_done(struct events_target *target);
/* A target from its wire form (Id, Arn, RoleArn, DeadLetterConfig, RetryPolicy), adding or replacing. */
void sim_events_target_put(struct events_rule *rule, const struct json *wire);
/* What is wrong with a policy document for this bus, NULL: nothing. Yours. */
char *sim_events_policy_fault(const struct events_bus *bus, const struct json *policy);
/* What is wrong with a target of a rule in this account, NULL: nothing. Yours. */
char *sim_events_target_fault(const struct account *account, const struct json *wire);
bool sim_events_name_is_good(const char *name, size_t max);

/* ---- events_pattern.c ---- */

/* NULL: an event pattern; else what is wrong with it, yours. */
char *sim_pattern_fault(const struct json *pattern);
bool sim_pattern_matches(const struct json *pattern, const struct json *event);

/* ---- events_deliver.c ---- */

struct json *sim_events_envelope(struct account *account, const struct sim_event *event);
/* On its way to a bus of this account; the event is taken over. */
void sim_events_send(struct account *account, const char *bus, struct json *event, int64_t due_ms);
/* A service's event: late, maybe twice, maybe never. */
void sim_events_publish(struct account *account, const struct sim_event *event);
void sim_events_advance(struct account *account);
int64_t sim_events_next_ms(struct account *account);

/* ---- the operations ---- */

bool sim_events_put_rule(struct call *call);
bool sim_events_describe_rule(struct call *call);
bool sim_events_list_rules(struct call *call);
bool sim_events_delete_rule(struct call *call);
bool sim_events_enable_rule(struct call *call);
bool sim_events_disable_rule(struct call *call);
bool sim_events_put_targets(struct call *call);
bool sim_events_remove_targets(struct call *call);
bool sim_events_list_targets(struct call *call);
bool sim_events_put_permission(struct call *call);
bool sim_events_remove_permission(struct call *call);
bool sim_events_put_events(struct call *call);

/* ---- events_load.c ---- */

struct err *sim_events_load(const struct loader *loader, struct account *account,
                            const struct json *section) MUST_USE;
struct err *sim_events_check(const struct loader *loader, struct account *account,
                             const struct json *section) MUST_USE;
struct json *sim_events_dump(struct account *account);

#endif
