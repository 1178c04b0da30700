#include "plugin/cluster.h"

#define NAMES_MAX (1 * KIB)

const struct kube_resource cluster_refreshes = {.group = "stagingrefresh.dev",
                                                .version = "v1alpha1",
                                                .plural = "stagingrefreshes",
                                                .kind = "StagingRefresh",
                                                .namespaced = true};
static const struct kube_resource self_reviews = {.group = "authentication.k8s.io",
                                                  .version = "v1",
                                                  .plural = "selfsubjectreviews",
                                                  .kind = "SelfSubjectReview"};

/* --- refusals --- */

static const struct explanation {
    const char *code;    /* the API server's reason */
    const char *part;    /* that the text must hold; NULL: any text */
    const char *instead; /* what a person should know; the server's words follow */
} explanations[] = {
    {.code = "NotServed",
     .instead =
         "this cluster has no StagingRefreshes: are the CustomResourceDefinitions installed, and is this the "
         "right context?"},
    {.code = "Unauthorized", .instead = "the API server does not know who you are: log in again"},
    {.code = "Forbidden",
     .part = "stagingrefreshes/approve",
     .instead =
         "you may not approve here. That takes the verb update on stagingrefreshes/approve, which somebody "
         "who may give it gives with: kubectl create rolebinding approvers -n NAMESPACE "
         "--clusterrole=stagingrefresh-approve --user=YOU"},
    {.code = "Forbidden",
     .part = "cannot patch",
     .instead =
         "you may not change StagingRefreshes here. The ClusterRole edit allows it in a namespace: kubectl "
         "create rolebinding editors -n NAMESPACE --clusterrole=edit --user=YOU"},
    {.code = "Forbidden",
     .part = "cannot",
     .instead =
         "you may not look at StagingRefreshes here. The ClusterRole view allows it in a namespace: kubectl "
         "create rolebinding viewers -n NAMESPACE --clusterrole=view --user=YOU"},
};

static struct err *explain(struct err *err)
{
    for (size_t i = 0; err && i < COUNT_OF(explanations); i++) {
        const struct explanation *row = &explanations[i];

        if (err_is_code(err, row->code) && (!row->part || strstr(err_text(err), row->part)))
            return err_wrap(err, "%s\nThe API server says", row->instead);
    }
    return err;
}

/* --- calls --- */

struct err *cluster_list(const struct cluster *cluster, const char *namespace, struct json **ret_items)
{
    const struct kube_query query = {.collection = {.resource = &cluster_refreshes, .namespace = namespace}};

    return explain(kube_list(cluster->client, cluster->env, &query, ret_items));
}

/* "shop, ledger"; yours. NULL: none, or nobody may say. */
static char *names_of(const struct cluster *cluster, const char *namespace)
{
    AUTO_JSON struct json *items = NULL;
    AUTO_ERR struct err *err = cluster_list(cluster, namespace, &items);
    AUTO_BUF struct buf names = BUF_MAX(NAMES_MAX);

    if (err)
        return NULL;
    json_each (item, items)
        buf_addf(&names, "%s%s", names.len ? ", " : "", json_get_text(item, "metadata.name", ""));
    return names.len && !names.overflow ? buf_take(&names) : NULL;
}

static struct err *not_found(const struct cluster *cluster, const char *namespace, const char *name)
{
    AUTO_FREE char *names = names_of(cluster, namespace);

    return err_new(ERR_NOT_FOUND, "there is no StagingRefresh %s in namespace %s%s%s", name, namespace,
                   names ? "; there are: " : "", names ? names : "");
}

struct err *cluster_get(const struct cluster *cluster, const char *namespace, const char *name,
                        struct json **ret)
{
    const struct kube_ref ref = {.resource = &cluster_refreshes, .namespace = namespace, .name = name};
    struct err *err = kube_get(cluster->client, cluster->env, &ref, ret);

    if (!err || err_kind(err) != ERR_NOT_FOUND)
        return explain(err);
    err_ignore(err, "said better with what is there");
    return not_found(cluster, namespace, name);
}

struct err *cluster_whoami(const struct cluster *cluster, char **ret_user)
{
    const struct kube_ref reviews = {.resource = &self_reviews};
    AUTO_JSON struct json *review = json_new_object();
    AUTO_JSON struct json *answer = NULL;
    const char *user;

    json_set_text(review, "apiVersion", "authentication.k8s.io/v1");
    json_set_text(review, "kind", self_reviews.kind);
    TRY(err_wrap(explain(kube_create(cluster->client, cluster->env, &reviews, review, &answer)),
                 "ask the API server for your user name"));
    user = json_get_text(answer, "status.userInfo.username", "");
    if (!*user)
        return err_new(ERR_INVALID, "the API server does not say what your user name is");
    *ret_user = xstrdup(user);
    return NULL;
}

struct err *cluster_annotate(const struct cluster *cluster, const struct json *object,
                             const struct json *annotations)
{
    const struct kube_ref ref = {.resource = &cluster_refreshes,
                                 .namespace = json_get_text(object, "metadata.namespace", ""),
                                 .name = json_get_text(object, "metadata.name", "")};
    AUTO_JSON struct json *body = json_new_object();
    struct json *metadata = json_new_object();

    json_set_text(metadata, "resourceVersion", json_get_text(object, "metadata.resourceVersion", ""));
    json_set_copy(metadata, "annotations", annotations);
    json_set(body, "metadata", metadata);
    return explain(kube_patch(cluster->client, cluster->env, &ref,
                              &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = body}, NULL));
}
