#include "pkg/aws/observer_priv.h"

#include <stdlib.h>

#define JOBS_A_PAGE 1000
#define JOBS_PAGE_MS SECONDS(1)
/* RDS gives a tenth of that, and lists all that an account has. */
#define RDS_A_PAGE 100
#define RDS_PAGE_MS SECONDS(3)
/* So many are asked for by name in one filter, more by reading everything. */
#define FILTERED_MAX 20

void sights_done(const struct sight_ops *ops, struct sights *sights)
{
    for (size_t i = 0; i < sights->count; i++)
        ops->done((char *)sights->items + i * ops->size);
    xfree(sights->items);
    *sights = (struct sights){0};
}

/* --- jobs --- */

static const char *job_id(const void *item)
{
    return ((const struct backup_job *)item)->id;
}

static void job_copy(const void *item, void *ret)
{
    backup_job_copy(item, ret);
}

static void job_done(void *item)
{
    backup_job_done(item);
}

static bool job_is_over(const void *item)
{
    return backup_state_is_final(((const struct backup_job *)item)->state);
}

static struct err *take_jobs(struct err *err, const struct backup_jobs *jobs, struct sights *ret)
{
    TRY(err);
    *ret = (struct sights){.items = jobs->items, .count = jobs->count};
    return NULL;
}

static struct err *list_backups(const struct aws_client *aws, const struct sight_wish *wish,
                                struct sights *ret)
{
    const struct backup_jobs_filter filter = {.created_after_ms = wish->since_ms};
    struct backup_jobs jobs = {0};

    return take_jobs(backup_list_backups(aws, &filter, &jobs), &jobs, ret);
}

static struct err *list_copies(const struct aws_client *aws, const struct sight_wish *wish,
                               struct sights *ret)
{
    const struct backup_jobs_filter filter = {.created_after_ms = wish->since_ms};
    struct backup_jobs jobs = {0};

    return take_jobs(backup_list_copies(aws, &filter, &jobs), &jobs, ret);
}

static struct err *list_restores(const struct aws_client *aws, const struct sight_wish *wish,
                                 struct sights *ret)
{
    const struct backup_jobs_filter filter = {.created_after_ms = wish->since_ms};
    struct backup_jobs jobs = {0};

    return take_jobs(backup_list_restores(aws, &filter, &jobs), &jobs, ret);
}

static struct err *describe_backup(const struct aws_client *aws, const char *id, void *ret)
{
    return backup_describe_backup(aws, id, ret);
}

static struct err *describe_copy(const struct aws_client *aws, const char *id, void *ret)
{
    return backup_describe_copy(aws, id, ret);
}

static struct err *describe_restore(const struct aws_client *aws, const char *id, void *ret)
{
    return backup_describe_restore(aws, id, ret);
}

/* --- clusters --- */

static const char *cluster_id(const void *item)
{
    return ((const struct rds_cluster *)item)->id;
}

static void cluster_copy(const void *item, void *ret)
{
    rds_cluster_copy(item, ret);
}

static void cluster_done(void *item)
{
    rds_cluster_done(item);
}

static bool never(const void *item)
{
    (void)item;
    return false;
}

static struct err *list_clusters(const struct aws_client *aws, const struct sight_wish *wish,
                                 struct sights *ret)
{
    bool by_name = wish->id_count <= FILTERED_MAX;
    struct rds_clusters clusters = {0};

    TRY(rds_find_clusters(aws, by_name ? wish->ids : NULL, by_name ? wish->id_count : 0, &clusters));
    *ret = (struct sights){.items = clusters.items, .count = clusters.count};
    return NULL;
}

static struct err *describe_cluster(const struct aws_client *aws, const char *id, void *ret)
{
    return rds_describe_cluster(aws, id, ret);
}

/* --- the instances of a cluster --- */

static const char *members_id(const void *item)
{
    return ((const struct sight_members *)item)->cluster_id;
}

static void members_copy(const void *item, void *ret)
{
    const struct sight_members *members = item;
    struct sight_members *copy = ret;

    *copy = (struct sight_members){.cluster_id = xstrdup(members->cluster_id)};
    rds_instances_copy(&members->instances, &copy->instances);
}

static void members_done(void *item)
{
    struct sight_members *members = item;

    xfree(members->cluster_id);
    rds_instances_done(&members->instances);
}

/* A status that ends the wait for an instance. */
static bool members_need_proof(const void *item)
{
    const struct sight_members *members = item;

    for (size_t i = 0; i < members->instances.count; i++) {
        if (!rds_status_is_usable(members->instances.items[i].status))
            return false;
    }
    return true;
}

static int by_cluster(const void *a, const void *b)
{
    const struct rds_instance *left = a, *right = b;

    return strcmp(left->cluster_id ? left->cluster_id : "", right->cluster_id ? right->cluster_id : "");
}

static void move_instance(struct rds_instance *instance, struct sights *ret)
{
    struct sight_members *all = ret->items, *last = ret->count ? &all[ret->count - 1] : NULL;

    if (!last || !text_equal(last->cluster_id, instance->cluster_id)) {
        all = ret->items = xgrow(all, ret->count, sizeof(*all));
        last = &all[ret->count++];
        *last = (struct sight_members){.cluster_id = xstrdup(instance->cluster_id)};
    }
    last->instances.items =
        xgrow(last->instances.items, last->instances.count, sizeof(*last->instances.items));
    last->instances.items[last->instances.count++] = *instance;
    *instance = (struct rds_instance){0};
}

static struct err *list_members(const struct aws_client *aws, const struct sight_wish *wish,
                                struct sights *ret)
{
    AUTO_RDS_INSTANCES struct rds_instances all = {0};
    bool by_name = wish->id_count <= FILTERED_MAX;

    TRY(rds_find_instances(aws, by_name ? wish->ids : NULL, by_name ? wish->id_count : 0, &all));
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), by_cluster);
    *ret = (struct sights){0};
    for (size_t i = 0; i < all.count; i++) {
        if (all.items[i].cluster_id) /* others are not of Aurora */
            move_instance(&all.items[i], ret);
    }
    return NULL;
}

static struct err *describe_members(const struct aws_client *aws, const char *id, void *ret)
{
    struct sight_members *members = ret;
    struct rds_instances instances = {0};

    TRY(rds_list_instances(aws, id, &instances));
    *members = (struct sight_members){.cluster_id = xstrdup(id), .instances = instances};
    return NULL;
}

#define JOB_OPS                                                                                             \
    .size = sizeof(struct backup_job), .page_items = JOBS_A_PAGE, .page_ms = JOBS_PAGE_MS, .id_of = job_id, \
    .copy = job_copy, .done = job_done, .needs_proof = job_is_over, .is_over = job_is_over

const struct sight_ops *sight_ops_of(enum sight_kind kind)
{
    static const struct sight_ops rows[SIGHT_KINDS] = {
        [SIGHT_BACKUP_JOB] = {JOB_OPS, .list = list_backups, .describe = describe_backup},
        [SIGHT_COPY_JOB] = {JOB_OPS, .list = list_copies, .describe = describe_copy},
        [SIGHT_RESTORE_JOB] = {JOB_OPS, .list = list_restores, .describe = describe_restore},
        [SIGHT_CLUSTER] = {.size = sizeof(struct rds_cluster),
                           .page_items = RDS_A_PAGE,
                           .page_ms = RDS_PAGE_MS,
                           .id_of = cluster_id,
                           .copy = cluster_copy,
                           .done = cluster_done,
                           .needs_proof = never,
                           .is_over = never,
                           .list = list_clusters,
                           .describe = describe_cluster},
        [SIGHT_MEMBERS] = {.size = sizeof(struct sight_members),
                           .page_items = RDS_A_PAGE,
                           .page_ms = RDS_PAGE_MS,
                           .id_of = members_id,
                           .copy = members_copy,
                           .done = members_done,
                           .needs_proof = members_need_proof,
                           .is_over = never,
                           .list = list_members,
                           .describe = describe_members},
    };

    return &rows[kind];
}
