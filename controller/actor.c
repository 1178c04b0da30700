#include "controller/actor.h"

void actor_clean_name(char *name)
{
    for (char *c = name; *c; c++) {
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=,.@+", *c))
            *c = '-';
    }
}

void actor_init(struct actor *actor, const char *namespace, const char *name, const char *run_id)
{
    int room = ACTOR_NAME_MAX - 1 - (int)strlen(run_id);
    AUTO_FREE char *object = xasprintf("%s.%s", namespace, name);

    if (room > 0)
        snprintf(actor->session_name, sizeof(actor->session_name), "%.*s.%s", room, object, run_id);
    else
        snprintf(actor->session_name, sizeof(actor->session_name), "%s", run_id);
    actor_clean_name(actor->session_name);
    actor->tags[0] = (struct aws_pair){.name = "stagingrefresh.dev/namespace", .value = namespace};
    actor->tags[1] = (struct aws_pair){.name = "stagingrefresh.dev/name", .value = name};
    actor->tags[2] = (struct aws_pair){.name = "stagingrefresh.dev/run", .value = run_id};
    actor->aws =
        (struct aws_actor){.session_name = actor->session_name, .tags = actor->tags, .tag_count = ACTOR_TAGS};
}
