#include "controller/looks.h"

#include "pkg/base/lock.h"
#include "pkg/base/str.h"
#include "pkg/base/times.h"

#define BUCKETS 1024
#define GAP_MS MINUTES(2)

struct look {
    char *uid, *row;
    int64_t due_ms;
    int64_t first_ms; /* of an unbroken row of looks; -1: none yet */
    struct look *next;
};

struct looks {
    pthread_mutex_t lock;
    struct look *buckets[BUCKETS]; /* lock; all looks of one object are in one bucket */
};

struct looks *looks_new(void)
{
    struct looks *looks = xcalloc(1, sizeof(*looks));

    pthread_mutex_init(&looks->lock, NULL);
    return looks;
}

static void free_look(struct look *look)
{
    xfree(look->uid);
    xfree(look->row);
    xfree(look);
}

void looks_free(struct looks *looks)
{
    if (!looks)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (looks->buckets[i]) {
            struct look *look = looks->buckets[i];

            looks->buckets[i] = look->next;
            free_look(look);
        }
    }
    pthread_mutex_destroy(&looks->lock);
    xfree(looks);
}

static struct look **bucket_of(struct looks *looks, const char *uid)
{
    uint32_t hash = 2166136261u;

    for (; *uid; uid++)
        hash = (hash ^ (unsigned char)*uid) * 16777619u;
    return &looks->buckets[hash % BUCKETS];
}

static struct look *find(struct looks *looks, const char *uid, const char *row)
{
    for (struct look *look = *bucket_of(looks, uid); look; look = look->next) {
        if (text_equal(look->uid, uid) && text_equal(look->row, row))
            return look;
    }
    return NULL;
}

int64_t looks_due_ms(struct looks *looks, const char *uid, const char *row)
{
    LOCK_SCOPE(&looks->lock);
    const struct look *look = find(looks, uid, row);

    return look ? look->due_ms : 0;
}

/* The caller holds the lock. */
static struct look *find_or_add(struct looks *looks, const char *uid, const char *row)
{
    struct look *look = find(looks, uid, row);

    if (!look) {
        struct look **bucket = bucket_of(looks, uid);

        look = xcalloc(1, sizeof(*look));
        look->uid = xstrdup(uid);
        look->row = xstrdup(row);
        look->first_ms = -1;
        look->next = *bucket;
        *bucket = look;
    }
    return look;
}

void looks_set(struct looks *looks, const char *uid, const char *row, int64_t due_ms)
{
    LOCK_SCOPE(&looks->lock);

    find_or_add(looks, uid, row)->due_ms = due_ms;
}

int64_t looks_watched_ms(struct looks *looks, const char *uid, const char *row, int64_t now_ms)
{
    LOCK_SCOPE(&looks->lock);
    struct look *look = find_or_add(looks, uid, row);

    if (look->first_ms < 0 || (look->due_ms && now_ms - look->due_ms > GAP_MS))
        look->first_ms = now_ms;
    return now_ms - look->first_ms;
}

void looks_forget(struct looks *looks, const char *uid)
{
    LOCK_SCOPE(&looks->lock);
    struct look **at = bucket_of(looks, uid);

    while (*at) {
        struct look *look = *at;

        if (!text_equal(look->uid, uid)) {
            at = &look->next;
            continue;
        }
        *at = look->next;
        free_look(look);
    }
}
