#include "pkg/aws/actors.h"

#include "pkg/base/lock.h"

/* As long as a session lasts: after that there would be nothing left of it anyway. */
#define IDLE_MS HOURS(1)

struct actor_session {
    char *name;                      /* immutable */
    struct credentials_cache *cache; /* immutable */
    unsigned users;                  /* lock */
    int64_t used_ms;                 /* lock */
    struct actor_session *next;      /* lock */
};

struct actors {
    actor_source_fn *source_of; /* immutable */
    void *owner;                /* immutable */
    int64_t untagged_until_ms;  /* atomic */
    pthread_mutex_t lock;
    struct actor_session *sessions; /* lock; last used first */
};

struct actors *actors_new(actor_source_fn *source_of, void *owner)
{
    struct actors *actors = xcalloc(1, sizeof(*actors));

    actors->source_of = source_of;
    actors->owner = owner;
    pthread_mutex_init(&actors->lock, NULL);
    return actors;
}

static void free_sessions(struct actor_session *sessions)
{
    while (sessions) {
        struct actor_session *next = sessions->next;

        credentials_cache_free(sessions->cache);
        xfree(sessions->name);
        xfree(sessions);
        sessions = next;
    }
}

void actors_free(struct actors *actors)
{
    if (!actors)
        return;
    free_sessions(actors->sessions);
    pthread_mutex_destroy(&actors->lock);
    xfree(actors);
}

/* The lock is held. What is returned is out of the list. */
static struct actor_session *take_idle(struct actors *actors, int64_t now_ms)
{
    struct actor_session **at = &actors->sessions, *idle = NULL;

    while (*at) {
        struct actor_session *session = *at;

        if (session->users || now_ms - session->used_ms < IDLE_MS) {
            at = &session->next;
            continue;
        }
        *at = session->next;
        session->next = idle;
        idle = session;
    }
    return idle;
}

/* The lock is held. */
static struct actor_session *take_named(struct actors *actors, const char *name)
{
    for (struct actor_session **at = &actors->sessions; *at; at = &(*at)->next) {
        struct actor_session *session = *at;

        if (!text_equal(session->name, name))
            continue;
        *at = session->next;
        return session;
    }
    return NULL;
}

/* The lock is held; it is cheap, as nothing is fetched yet. */
static struct actor_session *begin(struct actors *actors, const struct aws_actor *actor)
{
    struct actor_session *session = xcalloc(1, sizeof(*session));

    session->name = xstrdup(actor->session_name);
    session->cache =
        credentials_cache_new(actors->source_of(actors->owner, actor, &actors->untagged_until_ms));
    return session;
}

struct actor_session *actors_borrow(struct actors *actors, const struct aws_actor *actor, int64_t now_ms)
{
    struct actor_session *session, *idle;

    {
        LOCK_SCOPE(&actors->lock);
        session = take_named(actors, actor->session_name);
        if (!session)
            session = begin(actors, actor);
        session->users++;
        session->used_ms = now_ms;
        session->next = actors->sessions;
        actors->sessions = session;
        idle = take_idle(actors, now_ms);
    }
    free_sessions(idle);
    return session;
}

void actors_return(struct actors *actors, struct actor_session *session, int64_t now_ms)
{
    LOCK_SCOPE(&actors->lock);
    session->users--;
    session->used_ms = now_ms;
}

struct credentials_cache *actor_session_cache(struct actor_session *session)
{
    return session->cache;
}
