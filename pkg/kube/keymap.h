/* A hash map from text keys to nodes that live inside the caller's own structs (first member). No locking.
 * The order of a walk depends on the keys alone, so that simulations repeat. */
#ifndef KUBE_KEYMAP_H
#define KUBE_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

struct keymap_node {
    char *key; /* owned by the node: xfree() it with the node */
    uint64_t hash;
    struct keymap_node *next;
};

struct keymap {
    struct keymap_node **buckets;
    size_t bucket_count; /* zero or a power of two */
    size_t count;
};

void keymap_done(struct keymap *map); /* the nodes are the caller's */
void *keymap_find(const struct keymap *map, const char *key);
/* node->key is set, and not in the map yet. */
void keymap_insert(struct keymap *map, struct keymap_node *node);
void keymap_remove(struct keymap *map, struct keymap_node *node);
/* NULL starts; the node given may be removed only after asking for its next. */
void *keymap_next(const struct keymap *map, const struct keymap_node *node);

#endif
