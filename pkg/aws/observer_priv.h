/* What the observer can look at: one row of functions per kind. */
#ifndef AWS_OBSERVER_PRIV_H
#define AWS_OBSERVER_PRIV_H

#include "pkg/aws/backup.h"
#include "pkg/aws/rds.h"

enum sight_kind {
    SIGHT_BACKUP_JOB = BACKUP_JOB,
    SIGHT_COPY_JOB = COPY_JOB,
    SIGHT_RESTORE_JOB = RESTORE_JOB,
    SIGHT_CLUSTER,
    SIGHT_MEMBERS, /* all instances of one cluster */
    SIGHT_KINDS,
};

/* The instances of a cluster, by its id. */
struct sight_members {
    char *cluster_id;
    struct rds_instances instances;
};

/* An array of one kind of item. */
struct sights {
    void *items;
    size_t count;
};

/* Whose list is read: what all who are interested need. */
struct sight_wish {
    int64_t since_ms;       /* nobody needs what was made before; 0: everything */
    const char *const *ids; /* all that are wanted */
    size_t id_count;
};

struct sight_ops {
    size_t size;        /* of one item */
    int64_t page_items; /* how many a page of the list holds */
    int64_t page_ms;    /* at the most one page in so long */
    const char *(*id_of)(const void *item);
    void (*copy)(const void *item, void *ret);
    void (*done)(void *item);
    /* A list that says so is not believed: it is asked for by name, to be certain. */
    bool (*needs_proof)(const void *item);
    /* Described so, nobody will ask for it again. */
    bool (*is_over)(const void *item);
    struct err *(*list)(const struct aws_client *aws, const struct sight_wish *wish, struct sights *ret);
    struct err *(*describe)(const struct aws_client *aws, const char *id, void *ret);
};

const struct sight_ops *sight_ops_of(enum sight_kind kind);
void sights_done(const struct sight_ops *ops, struct sights *sights);

#endif
