/* The few writes that every controller makes on objects it does not own alone. */
#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H

#include "pkg/kube/client.h"

/* Merge patch of .status: {"status": <status_patch>}, on condition that the object still has
 * `resource_version` (NULL: whatever is there; for mere progress numbers). Arrays are replaced whole, null
 * removes. ERR_CONFLICT: somebody wrote in between. */
struct err *kube_patch_status(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                              const char *resource_version, const struct json *status_patch,
                              struct json **ret) MUST_USE;

bool kube_has_finalizer(const struct json *object, const char *finalizer);
/* On condition that the object still has the uid and the resourceVersion of `object`, so nobody else's
 * finalizer can be lost. Nothing to do: success without a call, *ret is NULL. ERR_CONFLICT: look again.
 * ERR_NOT_FOUND: it is gone. */
struct err *kube_add_finalizer(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                               const struct json *object, const char *finalizer, struct json **ret) MUST_USE;
struct err *kube_remove_finalizer(struct kube_client *client, const struct env *env,
                                  const struct kube_ref *ref, const struct json *object,
                                  const char *finalizer, struct json **ret) MUST_USE;

/* metav1.Condition.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
 */
struct kube_condition {
    const char *type;
    const char *status;  /* "True", "False", "Unknown" */
    const char *reason;  /* CamelCase, stable */
    const char *message; /* no time stamps: they would make every write different */
    int64_t observed_generation;
};
/* Sets it in an array of conditions, in place or at the end. lastTransitionTime moves only with the status.
 * The message is cut to 1 KiB. True when anything changed. */
bool kube_set_condition(struct json *conditions, const struct kube_condition *condition, int64_t wall_ms);
bool kube_remove_condition(struct json *conditions, const char *type);
const struct json *kube_find_condition(const struct json *conditions, const char *type);

#endif
