/* What steps that change objects of Kubernetes are tried on: one row of a switchover, and a cluster in
 * memory. */
#ifndef TESTS_SIMULATION_KUBE_BENCH_H
#define TESTS_SIMULATION_KUBE_BENCH_H

#include "controller/steps/steps.h"
#include "tests/simulation/kube_memory.h"

#define CORE "/api/v1/namespaces/staging/"
#define RUN "20261122-160000-abcde"
#define OLDER "20261022-160000-abcde"
/* Of a constant where a struct owns its text; nothing frees it here. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define OURS "stagingrefresh-shop"

struct kube_bench {
    struct kube_memory memory;
    const char *other;    /* another object of the series; NULL: there is none */
    const char *leftover; /* an entry of the list of leftovers; NULL: it is empty */
    struct objects objects;
    struct refresh_spec spec;
    struct parameter_spec parameter; /* counts when a test says so, as does the application */
    struct application_spec application;
    struct database_spec database;
    struct pass pass;
    struct stage stage;
};

/* One database "main" with an endpoint, the row of that name intended, attempt 1. */
void kube_bench_init(struct kube_bench *bench, const char *row);
void kube_bench_done(struct kube_bench *bench);
/* The row is intended anew. */
void kube_bench_begin_attempt(struct kube_bench *bench, int64_t attempt);

/* The content of a key of a Secret; NULL: it is not there. */
void kube_bench_expect_secret(const struct kube_bench *bench, const char *name, const char *key,
                              const char *want);
/* No secret's content ("old-value") is in the status. */
void kube_bench_expect_secrecy(const struct kube_bench *bench);

#endif
