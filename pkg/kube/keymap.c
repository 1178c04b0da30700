#include "pkg/kube/keymap.h"

#include "pkg/base/alloc.h"
#include "pkg/base/str.h"

/* FNV-1a with a final mix, because buckets are taken from the low bits. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (const unsigned char *p = (const unsigned char *)key; *p; p++)
        hash = (hash ^ *p) * 0x100000001B3u;
    return hash ^ (hash >> 32);
}

static struct keymap_node **bucket_of(const struct keymap *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

static void grow(struct keymap *map)
{
    struct keymap old = *map;

    map->bucket_count = old.bucket_count ? old.bucket_count * 2 : 16;
    map->buckets = xcalloc(map->bucket_count, sizeof(*map->buckets));
    for (size_t i = 0; i < old.bucket_count; i++) {
        struct keymap_node *node = old.buckets[i];

        while (node) {
            struct keymap_node *next = node->next, **bucket = bucket_of(map, node->hash);

            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    xfree(old.buckets);
}

void keymap_done(struct keymap *map)
{
    xfree(map->buckets);
    *map = (struct keymap){0};
}

void *keymap_find(const struct keymap *map, const char *key)
{
    uint64_t hash = hash_of(key);

    if (!map->count)
        return NULL;
    for (struct keymap_node *node = *bucket_of(map, hash); node; node = node->next) {
        if (node->hash == hash && text_equal(node->key, key))
            return node;
    }
    return NULL;
}

void keymap_insert(struct keymap *map, struct keymap_node *node)
{
    struct keymap_node **bucket;

    if (map->count >= map->bucket_count)
        grow(map);
    node->hash = hash_of(node->key);
    bucket = bucket_of(map, node->hash);
    node->next = *bucket;
    *bucket = node;
    map->count++;
}

void keymap_remove(struct keymap *map, struct keymap_node *node)
{
    struct keymap_node **at = bucket_of(map, node->hash);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    map->count--;
}

void *keymap_next(const struct keymap *map, const struct keymap_node *node)
{
    size_t from = 0;

    if (node && node->next)
        return node->next;
    if (node)
        from = (node->hash & (map->bucket_count - 1)) + 1;
    for (size_t i = from; i < map->bucket_count; i++) {
        if (map->buckets[i])
            return map->buckets[i];
    }
    return NULL;
}
