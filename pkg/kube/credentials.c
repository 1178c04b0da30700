#include "pkg/kube/credentials.h"

#include <stdatomic.h>

#include "pkg/base/digest.h"
#include "pkg/base/files.h"
#include "pkg/base/lock.h"
#include "pkg/base/pem.h"
#include "pkg/kube/config_priv.h"
#include "pkg/kube/plugin.h"

#define TOKEN_FILE_MS \
    SECONDS(50) /* the kubelet replaces the file at 80 % of its life; client-go reads as often */
#define PEM_FILE_MS MINUTES(5)
#define RETRY_MS SECONDS(10) /* after a failure, while the old value still holds */
#define PEM_MAX MIB
#define SECRET_MAX (64 * KIB - 1)

struct held_identity {
    struct kube_identity view; /* first: what others see */
    atomic_int refs;
    char *ca_pem, *cert_pem, *tls_key;
    struct secret *key_pem;
    int64_t taken_ms;   /* wall clock */
    int64_t expires_ms; /* wall clock; NEVER_MS: does not */
};

struct kube_credentials {
    const struct kube_config *config; /* immutable */
    pthread_mutex_t lock;
    struct held_identity *current; /* lock, as all below */
    bool is_refused;
    bool is_fetching;
    int64_t not_before_ms; /* wall clock: no fetch before, after one that failed */
    struct spot **waiters;
    size_t waiter_count;
    uint64_t fetches;
    uint64_t failed_fetch; /* the number of the last one that failed */
    char *failure;
};

struct kube_credentials *kube_credentials_new(const struct kube_config *config)
{
    struct kube_credentials *credentials = xcalloc(1, sizeof(*credentials));

    credentials->config = config;
    pthread_mutex_init(&credentials->lock, NULL);
    return credentials;
}

static struct held_identity *held_of(const struct kube_identity *identity)
{
    return (struct held_identity *)(uintptr_t)identity;
}

void kube_identity_unref(const struct kube_identity *identity)
{
    struct held_identity *held = held_of(identity);

    if (!identity || atomic_fetch_sub(&held->refs, 1) > 1)
        return;
    secret_free(held->view.token);
    secret_free(held->key_pem);
    xfree(held->ca_pem);
    xfree(held->cert_pem);
    xfree(held->tls_key);
    xfree(held);
}

void kube_credentials_free(struct kube_credentials *credentials)
{
    if (!credentials)
        return;
    if (credentials->current)
        kube_identity_unref(&credentials->current->view);
    xfree(credentials->waiters);
    xfree(credentials->failure);
    pthread_mutex_destroy(&credentials->lock);
    xfree(credentials);
}

/* --- fetching one --- */

/* The files are replaced one after the other: in between they are no pair, and nobody would tell us so, as
 * TLS just fails. */
static struct err *check_pair(const struct kube_config *config, const struct held_identity *held)
{
    if ((!config->cert_file && !config->key_file) || !held->cert_pem || !held->key_pem ||
        pem_is_pair(str_of(held->cert_pem), secret_reveal(held->key_pem)))
        return NULL;
    return err_new(ERR_RETRY, "%s does not hold the key of the certificate in %s",
                   config->key_file ? config->key_file : "the kubeconfig",
                   config->cert_file ? config->cert_file : "the kubeconfig");
}

static struct err *fill_tls_files(const struct kube_config *config, struct held_identity *held)
{
    AUTO_BUF struct buf ca = BUF_MAX(PEM_MAX), cert = BUF_MAX(PEM_MAX);
    AUTO_BUF struct buf key = BUF_SECRET(SECRET_MAX);

    if (config->ca_file)
        TRY(config_read_pem(config->ca_file, &ca));
    held->ca_pem = ca.len ? buf_take(&ca) : xstrdup_or_null(config->ca_pem);
    if (config->cert_file)
        TRY(config_read_pem(config->cert_file, &cert));
    held->cert_pem = cert.len ? buf_take(&cert) : xstrdup_or_null(config->cert_pem);
    if (config->key_file)
        TRY(config_read_pem(config->key_file, &key));
    if (key.len)
        held->key_pem = secret_new(buf_str(&key));
    else if (config->key_pem)
        held->key_pem = secret_copy(config->key_pem);
    return check_pair(config, held);
}

static struct err *fill_token(const struct kube_config *config, struct held_identity *held)
{
    AUTO_BUF struct buf token = BUF_SECRET(SECRET_MAX);
    struct str trimmed;
    struct err *err;

    if (config->token)
        held->view.token = secret_copy(config->token);
    if (!config->token_file)
        return NULL;
    err = file_read(config->token_file, &token);
    trimmed = str_trim(buf_str(&token));
    if (!err && !trimmed.len)
        err = err_new(ERR_RETRY, "%s is empty", config->token_file);
    if (err && held->view.token) {
        err_ignore(err, "the token written next to it holds");
        return NULL;
    }
    TRY(err);
    secret_free(held->view.token);
    held->view.token = secret_new(trimmed);
    return NULL;
}

static struct err *fill_from_plugin(const struct kube_config *config, const struct env *env,
                                    struct held_identity *held)
{
    CLEANUP(kube_plugin_answer_done) struct kube_plugin_answer answer = {0};

    if (!config->plugin || held->view.token || held->cert_pem)
        return NULL;
    TRY(kube_plugin_ask(config, env, &answer));
    held->view.token = TAKE(answer.token);
    held->cert_pem = TAKE(answer.cert_pem);
    held->key_pem = TAKE(answer.key_pem);
    held->expires_ms = answer.expires_ms;
    return NULL;
}

/* Equal settings share connections; a new certificate must not. */
static char *tls_key_of(const struct kube_config *config, const struct held_identity *held)
{
    AUTO_BUF struct buf all = BUF_MAX(4 * MIB);
    char hex[2 * SHA256_BYTES + 1];

    buf_addf(&all, "%d %s\n", config->insecure, config->tls_server_name ? config->tls_server_name : "");
    buf_addf(&all, "%s\n%s\n", held->ca_pem ? held->ca_pem : "", held->cert_pem ? held->cert_pem : "");
    sha256_hex(buf_str(&all), hex);
    return xasprintf("kube-%.32s", hex);
}

static struct err *fill(const struct kube_config *config, const struct env *env, struct held_identity *held)
{
    TRY(fill_tls_files(config, held));
    TRY(fill_token(config, held));
    TRY(fill_from_plugin(config, env, held));
    held->tls_key = tls_key_of(config, held);
    held->view.tls = (struct http_tls){
        .key = held->tls_key,
        .ca_pem = str_of(held->ca_pem),
        .cert_pem = str_of(held->cert_pem),
        .key_pem = held->key_pem ? secret_reveal(held->key_pem) : str_of(""),
        .server_name = config->tls_server_name,
        .insecure_skip_verify = config->insecure,
    };
    return NULL;
}

static struct err *fetch(const struct kube_config *config, const struct env *env, struct held_identity **ret)
{
    struct held_identity *held = xcalloc(1, sizeof(*held));
    struct err *err;

    atomic_init(&held->refs, 1);
    held->taken_ms = sched_wall_ms(env->sched);
    held->expires_ms = NEVER_MS;
    err = fill(config, env, held);
    if (err)
        kube_identity_unref(&held->view);
    else
        *ret = held;
    return err;
}

/* --- when to fetch --- */

enum freshness { FRESH, AGED /* may still be used while another is fetched */, USELESS };

static bool can_renew(const struct kube_config *config)
{
    return config->token_file || config->cert_file || (config->plugin && !config->token && !config->cert_pem);
}

static enum freshness freshness_of(const struct kube_credentials *credentials, int64_t wall_ms)
{
    const struct kube_config *config = credentials->config;
    const struct held_identity *current = credentials->current;
    int64_t age;

    if (!current || credentials->is_refused || wall_ms >= current->expires_ms)
        return USELESS;
    age = wall_ms - current->taken_ms;
    if (age < 0 || (config->token_file && age > TOKEN_FILE_MS))
        return AGED;
    if ((config->cert_file || config->key_file || config->ca_file) && age > PEM_FILE_MS)
        return AGED;
    return FRESH;
}

static struct kube_identity *share(struct kube_credentials *credentials)
{
    atomic_fetch_add(&credentials->current->refs, 1);
    return &credentials->current->view;
}

enum next { USE, FETCH, WAIT, FAIL };

/* One look under the lock. `*flight` is the fetch this caller has waited for (0: none yet). */
static enum next decide(struct kube_credentials *credentials, int64_t wall_ms, struct spot *spot,
                        uint64_t *flight, const struct kube_identity **ret)
{
    LOCK_SCOPE(&credentials->lock);
    enum freshness freshness = freshness_of(credentials, wall_ms);
    int64_t pause = credentials->not_before_ms - wall_ms;
    bool has_failed = pause > 0 && pause <= RETRY_MS; /* more: the clock was set back */
    bool may_fetch = !credentials->is_fetching && !has_failed;

    if (freshness == FRESH || (freshness == AGED && !may_fetch)) {
        *ret = share(credentials);
        return USE;
    }
    if (!credentials->is_fetching && (has_failed || (*flight && credentials->failed_fetch >= *flight)))
        return FAIL;
    if (may_fetch) {
        credentials->is_fetching = true;
        credentials->fetches++;
        return FETCH;
    }
    *flight = credentials->fetches;
    credentials->waiters =
        xgrow(credentials->waiters, credentials->waiter_count, sizeof(*credentials->waiters));
    credentials->waiters[credentials->waiter_count++] = spot;
    return WAIT;
}

static void finish_fetch(struct kube_credentials *credentials, int64_t wall_ms, struct held_identity *fresh,
                         const struct err *err)
{
    LOCK_SCOPE(&credentials->lock);
    credentials->is_fetching = false;
    if (fresh) {
        if (credentials->current)
            kube_identity_unref(&credentials->current->view);
        credentials->current = fresh;
        credentials->is_refused = false;
        credentials->not_before_ms = 0;
    } else {
        credentials->not_before_ms = wall_ms + RETRY_MS;
        credentials->failed_fetch = credentials->fetches;
        xfree(credentials->failure);
        credentials->failure = xstrdup(err_text(err));
    }
    for (size_t i = 0; i < credentials->waiter_count; i++)
        sched_wake(credentials->waiters[i]);
    credentials->waiter_count = 0;
}

/* A missing file of ours must not look like a missing object to the caller. */
static struct err *no_credentials(struct err *err)
{
    AUTO_ERR struct err *cause = err;
    enum err_kind kind =
        err_kind(cause) == ERR_INVALID || err_kind(cause) == ERR_CANCELED ? err_kind(cause) : ERR_RETRY;

    return err_new(kind, "credentials: %s", err_text(cause));
}

/* NULL and nothing in *ret: an older value is still there, look again. */
static struct err *fetch_for_all(struct kube_credentials *credentials, const struct env *env,
                                 const struct kube_identity **ret)
{
    struct held_identity *fresh = NULL;
    struct err *err = fetch(credentials->config, env, &fresh);
    bool is_usable;

    if (fresh) {
        atomic_fetch_add(&fresh->refs, 1);
        *ret = &fresh->view;
    }
    finish_fetch(credentials, sched_wall_ms(env->sched), fresh, err);
    if (!err)
        return NULL;
    {
        LOCK_SCOPE(&credentials->lock);
        is_usable = freshness_of(credentials, sched_wall_ms(env->sched)) != USELESS;
    }
    if (!is_usable)
        return no_credentials(err);
    LOG_DEBUG(env->log, "credentials could not be read again, the old ones still hold",
              KV("error", err_text(err)));
    err_ignore(err, "the old value holds");
    return NULL;
}

static struct err *failure_of(struct kube_credentials *credentials)
{
    LOCK_SCOPE(&credentials->lock);
    return err_new(ERR_RETRY, "credentials: %s", credentials->failure);
}

static void leave(struct kube_credentials *credentials, const struct spot *spot)
{
    LOCK_SCOPE(&credentials->lock);
    for (size_t i = 0; i < credentials->waiter_count; i++) {
        if (credentials->waiters[i] == spot)
            credentials->waiters[i--] = credentials->waiters[--credentials->waiter_count];
    }
}

static struct err *get(struct kube_credentials *credentials, const struct env *env, struct spot *spot,
                       const struct kube_identity **ret)
{
    uint64_t flight = 0;

    while (!*ret) {
        if (stop_requested(env->stop))
            return err_new(ERR_CANCELED, "stopped while waiting for credentials");
        switch (decide(credentials, sched_wall_ms(env->sched), spot, &flight, ret)) {
        case USE:
            return NULL;
        case FETCH:
            TRY(fetch_for_all(credentials, env, ret));
            break;
        case WAIT:
            (void)sched_park(spot, NEVER_MS);
            break;
        case FAIL:
            return failure_of(credentials);
        }
    }
    return NULL;
}

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

struct err *kube_credentials_get(struct kube_credentials *credentials, const struct env *env,
                                 const struct kube_identity **ret)
{
    struct spot *spot = sched_spot_new(env->sched);
    struct stop_subscription *subscription = stop_subscribe(env->stop, wake_spot, spot);
    const struct kube_identity *identity = NULL;
    struct err *err = get(credentials, env, spot, &identity);

    stop_unsubscribe(subscription);
    leave(credentials, spot);
    sched_spot_free(spot);
    if (!err)
        *ret = identity;
    return err;
}

bool kube_credentials_refuse(struct kube_credentials *credentials, const struct kube_identity *identity)
{
    LOCK_SCOPE(&credentials->lock);
    if (!can_renew(credentials->config))
        return false;
    if (credentials->current && &credentials->current->view == identity)
        credentials->is_refused = true;
    return true;
}
