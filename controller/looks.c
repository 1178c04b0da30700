#include "controller/looks.h"

#include "pkg/aws/rds.h"
#include "pkg/base/lock.h"
#include "pkg/base/str.h"
#include "pkg/base/times.h"
#include "pkg/kube/keymap.h"

#define BUCKETS 1024
#define GAP_MS MINUTES(2)
/* Of one subject: so many times news makes a row due at once, then each time once more after so long. */
#define HEAR_BURST 3
#define HEAR_AGAIN_MS SECONDS(10)
/* Of one object: more than the rows of any run. Rows with texts of errors in their names come and come. */
#define LOOKS_MAX 2000

#define SUBJECTS COUNT_OF(((struct look_interest *)0)->subjects)

/* The members of struct look_interest, owned. */
struct interest {
    char *namespace, *name;
    char *accounts[2];
    char *subjects[SUBJECTS];
    char *cluster;
};

/* Rows that wait for news of one thing; exists as long as there are some. */
struct topic {
    struct keymap_node node; /* "s/<subject>", or "c/<cluster>" whose instances are waited for */
    struct mention *first;
};

struct mention {
    struct look *look;
    struct topic *topic; /* NULL: not in use */
    struct mention *next, *prev;
};

#define MENTIONS_MAX 4 /* the subjects and the cluster */

struct look {
    char *uid, *row;
    int64_t due_ms;
    int64_t first_ms; /* of an unbroken row of looks; -1: none yet */
    int64_t heard_ms; /* the last news; -1: none yet */
    bool is_told;     /* of its first subject, the job */
    bool is_looking;
    int64_t news_ms; /* what came while somebody looked makes it due then; NEVER_MS: nothing came */
    /* When all that each subject may do at once will be saved up again; the last is the cluster's instances.
     */
    int64_t full_ms[SUBJECTS + 1];
    struct interest interest;
    struct mention mentions[MENTIONS_MAX];
    struct look *next;
};

struct looks {
    pthread_mutex_t lock;
    struct look *buckets[BUCKETS]; /* lock; all looks of one object are in one bucket */
    struct keymap topics;          /* lock */
};

struct looks *looks_new(void)
{
    struct looks *looks = xcalloc(1, sizeof(*looks));

    pthread_mutex_init(&looks->lock, NULL);
    return looks;
}

static void interest_done(struct interest *interest)
{
    xfree(interest->namespace);
    xfree(interest->name);
    for (size_t i = 0; i < COUNT_OF(interest->accounts); i++)
        xfree(interest->accounts[i]);
    for (size_t i = 0; i < COUNT_OF(interest->subjects); i++)
        xfree(interest->subjects[i]);
    xfree(interest->cluster);
    *interest = (struct interest){0};
}

static void leave_topics(struct looks *looks, struct look *look)
{
    for (size_t i = 0; i < MENTIONS_MAX; i++) {
        struct mention *mention = &look->mentions[i];
        struct topic *topic = TAKE(mention->topic);

        if (!topic)
            continue;
        *(mention->prev ? &mention->prev->next : &topic->first) = mention->next;
        if (mention->next)
            mention->next->prev = mention->prev;
        if (topic->first)
            continue;
        keymap_remove(&looks->topics, &topic->node);
        xfree(topic->node.key);
        xfree(topic);
    }
}

static void free_look(struct looks *looks, struct look *look)
{
    leave_topics(looks, look);
    interest_done(&look->interest);
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
            free_look(looks, look);
        }
    }
    keymap_done(&looks->topics);
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

/* The caller holds the lock. The oldest goes: it costs one early look, or a line twice. */
static void make_room(struct looks *looks, const char *uid)
{
    struct look **oldest = NULL, *look;
    size_t count = 0;

    for (struct look **at = bucket_of(looks, uid); *at; at = &(*at)->next) {
        if (!text_equal((*at)->uid, uid))
            continue;
        oldest = at;
        count++;
    }
    if (count < LOOKS_MAX)
        return;
    look = *oldest;
    *oldest = look->next;
    free_look(looks, look);
}

/* The caller holds the lock. */
static struct look *find_or_add(struct looks *looks, const char *uid, const char *row)
{
    struct look *look = find(looks, uid, row);

    if (!look) {
        struct look **bucket = bucket_of(looks, uid);

        make_room(looks, uid);
        look = xcalloc(1, sizeof(*look));
        look->uid = xstrdup(uid);
        look->row = xstrdup(row);
        look->first_ms = -1;
        look->heard_ms = -1;
        look->news_ms = NEVER_MS;
        look->next = *bucket;
        *bucket = look;
    }
    return look;
}

void looks_set(struct looks *looks, const char *uid, const char *row, int64_t due_ms)
{
    LOCK_SCOPE(&looks->lock);
    struct look *look = find_or_add(looks, uid, row);

    look->due_ms = due_ms < look->news_ms ? due_ms : look->news_ms;
    look->is_looking = false;
    look->news_ms = NEVER_MS;
}

int64_t looks_watched_ms(struct looks *looks, const char *uid, const char *row, int64_t now_ms)
{
    LOCK_SCOPE(&looks->lock);
    struct look *look = find_or_add(looks, uid, row);

    if (look->first_ms < 0 || (look->due_ms && now_ms - look->due_ms > GAP_MS))
        look->first_ms = now_ms;
    look->is_looking = true;
    look->news_ms = NEVER_MS;
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
        free_look(looks, look);
    }
}

/* --- news --- */

static bool same_texts(char *const *own, const char *const *others, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(own[i], others[i]))
            return false;
    }
    return true;
}

static bool is_same_interest(const struct interest *own, const struct look_interest *other)
{
    return text_equal(own->namespace, other->namespace) && text_equal(own->name, other->name) &&
           text_equal(own->cluster, other->cluster) &&
           same_texts(own->accounts, other->accounts, COUNT_OF(own->accounts)) &&
           same_texts(own->subjects, other->subjects, COUNT_OF(own->subjects));
}

static void join_topic(struct looks *looks, struct look *look, size_t index, char kind, const char *text)
{
    AUTO_FREE char *key = text ? xasprintf("%c/%s", kind, text) : NULL;
    struct topic *topic = key ? keymap_find(&looks->topics, key) : NULL;
    struct mention *mention = &look->mentions[index];

    for (size_t i = 0; i < index; i++) {
        if (topic && look->mentions[i].topic == topic) /* said twice, told once */
            return;
    }
    if (!key)
        return;
    if (!topic) {
        topic = xcalloc(1, sizeof(*topic));
        topic->node.key = TAKE(key);
        keymap_insert(&looks->topics, &topic->node);
    }
    *mention = (struct mention){.look = look, .topic = topic, .next = topic->first};
    if (topic->first)
        topic->first->prev = mention;
    topic->first = mention;
}

static void join_topics(struct looks *looks, struct look *look)
{
    const struct interest *interest = &look->interest;

    for (size_t i = 0; i < COUNT_OF(interest->subjects); i++)
        join_topic(looks, look, i, 's', interest->subjects[i]);
    join_topic(looks, look, COUNT_OF(interest->subjects), 'c', interest->cluster);
}

void looks_expect(struct looks *looks, const char *uid, const char *row, const struct look_interest *interest)
{
    LOCK_SCOPE(&looks->lock);
    struct look *look = find_or_add(looks, uid, row);
    struct interest *own = &look->interest;

    if (!own->subjects[0] || !interest->subjects[0] || !text_equal(own->subjects[0], interest->subjects[0]))
        look->is_told = false;
    if (is_same_interest(own, interest))
        return;
    leave_topics(looks, look);
    interest_done(own);
    own->namespace = xstrdup(interest->namespace);
    own->name = xstrdup(interest->name);
    for (size_t i = 0; i < COUNT_OF(own->accounts); i++)
        own->accounts[i] = xstrdup_or_null(interest->accounts[i]);
    for (size_t i = 0; i < COUNT_OF(own->subjects); i++)
        own->subjects[i] = xstrdup_or_null(interest->subjects[i]);
    own->cluster = xstrdup_or_null(interest->cluster);
    join_topics(looks, look);
}

void looks_heard_done(struct looks_heard *heard)
{
    for (size_t i = 0; i < heard->count; i++) {
        xfree(heard->items[i].namespace);
        xfree(heard->items[i].name);
    }
    xfree(heard->items);
    *heard = (struct looks_heard){0};
}

/* Which of the row's subjects the news is about, SUBJECTS being the instances; -1: none. */
static int subject_of(const struct look_news *news, const struct interest *interest)
{
    bool in_account = false;

    for (size_t i = 0; i < COUNT_OF(interest->accounts); i++)
        in_account =
            in_account || (interest->accounts[i] && text_equal(interest->accounts[i], news->account));
    if (!in_account)
        return -1;
    if (news->is_instance)
        return interest->cluster && rds_is_named_after(news->subject, interest->cluster) ? (int)SUBJECTS : -1;
    for (size_t i = 0; i < SUBJECTS; i++) {
        if (interest->subjects[i] && text_equal(interest->subjects[i], news->subject))
            return (int)i;
    }
    return -1;
}

static void add_heard(struct looks_heard *heard, const struct look *look, int64_t after_ms)
{
    heard->items = xgrow(heard->items, heard->count, sizeof(*heard->items));
    heard->items[heard->count++] = (struct look_heard){.namespace = xstrdup(look->interest.namespace),
                                                       .name = xstrdup(look->interest.name),
                                                       .after_ms = after_ms};
}

/* One subject's flood does not hold back what another has to say. */
static int64_t when_to_look(struct look *look, int subject, int64_t now_ms)
{
    int64_t *full_ms = &look->full_ms[subject];
    int64_t at_ms = *full_ms - (HEAR_BURST - 1) * HEAR_AGAIN_MS;

    if (at_ms > now_ms)
        return at_ms;
    *full_ms = (*full_ms > now_ms ? *full_ms : now_ms) + HEAR_AGAIN_MS;
    return now_ms;
}

/* When the row will be looked at, now that there is news. */
static int64_t hear(struct look *look, int subject, int64_t now_ms)
{
    int64_t *due_ms = look->is_looking ? &look->news_ms : &look->due_ms;

    look->heard_ms = now_ms;
    if (*due_ms > now_ms) {
        int64_t at_ms = when_to_look(look, subject, now_ms);

        if (*due_ms > at_ms)
            *due_ms = at_ms;
    }
    return *due_ms > now_ms ? *due_ms : now_ms;
}

static void hear_look(struct look *look, const struct look_news *news, int64_t now_ms,
                      struct looks_heard *ret)
{
    int subject = subject_of(news, &look->interest);

    if (subject >= 0 && news->is_under_way)
        look->is_told = look->is_told || subject == 0;
    else if (subject >= 0)
        add_heard(ret, look, hear(look, subject, now_ms) - now_ms);
}

static void hear_topic(struct looks *looks, const char *key, const struct look_news *news, int64_t now_ms,
                       struct looks_heard *ret)
{
    const struct topic *topic = keymap_find(&looks->topics, key);

    for (const struct mention *mention = topic ? topic->first : NULL; mention; mention = mention->next)
        hear_look(mention->look, news, now_ms, ret);
}

void looks_hear(struct looks *looks, const struct look_news *news, int64_t now_ms, struct looks_heard *ret)
{
    AUTO_FREE char *key = xasprintf("%c/%s", news->is_instance ? 'c' : 's', news->subject);

    LOCK_SCOPE(&looks->lock);
    if (!news->is_instance) {
        hear_topic(looks, key, news, now_ms, ret);
        return;
    }
    /* "shop-stg-20261122-a" is an instance of "shop-stg-20261122", or of "shop". */
    for (char *end = strrchr(key, '-'); end; end = strrchr(key, '-')) {
        *end = '\0';
        hear_topic(looks, key, news, now_ms, ret);
    }
}

int64_t looks_heard_ms(struct looks *looks, const char *uid, const char *row, int64_t now_ms)
{
    LOCK_SCOPE(&looks->lock);
    const struct look *look = find(looks, uid, row);

    return look && look->heard_ms >= 0 ? now_ms - look->heard_ms : NEVER_MS;
}

bool looks_is_told(struct looks *looks, const char *uid, const char *row)
{
    LOCK_SCOPE(&looks->lock);
    const struct look *look = find(looks, uid, row);

    return look && look->is_told;
}
