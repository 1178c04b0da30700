/* Keeps a store equal to a collection: list, then watch, for ever. A dropped watch goes on from the last
 * version seen, also when the server is away, busy or in trouble for a while; a version that is too old (410,
 * as a status or inside a 200 stream) leads to a new list; trouble is met with a back-off of 0.8 s to 30 s.
 *
 * The list comes as the first part of the watch where the server offers that (streaming lists: on by default
 * in 1.32 and from 1.34 on). A server that refuses, or that does not tell when its list has ended, is asked
 * for pages for half an hour; one whose stream broke before that, for pages once.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "pkg/kube/client.h"
#include "pkg/kube/store.h"

struct kube_watch_opts {
    struct kube_query query; /* resource_version is ignored: the first list is consistent. Texts are copied,
                                the resource is borrowed */
    int64_t idle_ms;         /* a stream silent for that long is dropped; 0: 3 min */
    int64_t min_timeout_ms;  /* asked of the server, drawn from [min, 2 * min]; 0: 5 min */
    size_t max_line_bytes;   /* one event; 0: 4 MiB */
    bool lists_in_pages;     /* never asks for a streaming list */
};

struct kube_watch_stats {
    int64_t lists;    /* in pages */
    int64_t streamed; /* lists that came to their end in a stream */
    int64_t watches;
    int64_t events; /* those of a streamed list not among them */
    int64_t bookmarks;
    int64_t failures;  /* rounds that ended in trouble */
    int64_t turned_ms; /* env->sched's time when its task last went round; with its defaults it does so every
                          five minutes at least, whatever the server does */
};

struct kube_watch;

/* Starts a task of its own. Borrows client, store, env and what env holds (the transport is for this watch
 * alone); network waits are real time, so env->sched should run at the real pace. It ends when env->stop is
 * requested, within a second. */
struct err *kube_watch_start(struct kube_client *client, const struct env *env,
                             const struct kube_watch_opts *opts, struct kube_store *store,
                             struct kube_watch **ret) MUST_USE;
void kube_watch_stop(struct kube_watch *watch); /* tells it, waits for it, frees it; NULL is fine */

/* Brings the store up to now, whatever the watch has missed without knowing it: one consistent list, in
 * pages, on the caller's thread and with its env. What the watch still brings from before is dropped then. */
struct err *kube_watch_list_now(struct kube_watch *watch, const struct env *env) MUST_USE;

/* The server's history has gone back to before what the store knows, as when etcd is restored from a backup:
 * for three minutes every list, five at least, has shown a past state, though lists are as new as anything
 * that was seen. Nothing that is in memory can be trusted then, the store's content included: end the
 * process.
 */
bool kube_watch_is_ahead(struct kube_watch *watch);

/* Why the store is not being kept up at the moment, or NULL; yours. */
char *kube_watch_trouble(struct kube_watch *watch);
struct kube_watch_stats kube_watch_stats(struct kube_watch *watch);

#endif
