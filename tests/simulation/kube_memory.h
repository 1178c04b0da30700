/* A few objects of an API server in memory, behind a transport: enough for steps that read, patch and create
 * ConfigMaps, Secrets and workloads. Knows no kinds but that stringData of a Secret becomes data. */
#ifndef SIMULATION_KUBE_MEMORY_H
#define SIMULATION_KUBE_MEMORY_H

#include "pkg/kube/client.h"
#include "tests/testing/testing_env.h"

struct kube_memory {
    struct testing_env base; /* .env has the transport */
    struct transport transport;
    struct json *objects; /* by path, below "/" */
    struct kube_config *config;
    struct kube_client *client;
    int64_t version, writes;
    int64_t lose; /* the answer of the nth write from now on gets lost; 0: of none */
};

void kube_memory_init(struct kube_memory *memory);
void kube_memory_done(struct kube_memory *memory);
/* "/api/v1/namespaces/staging/secrets/db" and the object as JSON text. */
void kube_memory_put(struct kube_memory *memory, const char *path, const char *text);
void kube_memory_remove(struct kube_memory *memory, const char *path);
const struct json *kube_memory_get(const struct kube_memory *memory, const char *path); /* NULL: not there */
/* A key of a Secret in plain; yours, NULL when it is not there. */
char *kube_memory_secret(const struct kube_memory *memory, const char *name, const char *key);

#endif
