#include "tests/testing/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkg/base/buf.h"
#include "pkg/base/lock.h"

#define SEEN_MAX 64

struct loopback {
    struct loopback_options options;
    pthread_t thread;
    int listener, port;
    int over;    /* eventfd: never read, so it stays readable once written */
    int signals; /* eventfd as a semaphore */
    SSL_CTX *context;
    int fd; /* the current connection, -1: none */
    SSL *ssl;
    struct buf input; /* read but not consumed */
    pthread_mutex_t lock;
    int connections;      /* lock */
    char *seen[SEEN_MAX]; /* lock */
    int seen_count;       /* lock */
};

static void must(bool fine)
{
    if (!fine)
        abort();
}

/* --- TLS --- */

static X509 *read_certificate(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    must(certificate != NULL);
    return certificate;
}

static void use_pair(SSL_CTX *context, const struct certificate_pair *pair)
{
    BIO *bio = BIO_new_mem_buf(pair->key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    X509 *certificate = read_certificate(pair->certificate);

    BIO_free(bio);
    must(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static SSL_CTX *new_context(const struct loopback_options *options)
{
    SSL_CTX *context;

    if (!options->tls)
        return NULL;
    context = SSL_CTX_new(TLS_server_method());
    use_pair(context, options->tls);
    if (options->client_ca) {
        X509 *authority = read_certificate(options->client_ca->certificate);

        must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1);
        X509_free(authority);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return context;
}

/* --- the server's thread --- */

/* False when it is over, or when somebody else knocks: this server serves one connection at a time, and the
 * client has evidently no more use for the one that is silent. */
static bool wait_readable(struct loopback *server, int fd)
{
    struct pollfd fds[3] = {{.fd = server->over, .events = POLLIN},
                            {.fd = fd, .events = POLLIN},
                            {.fd = fd == server->fd ? server->listener : -1, .events = POLLIN}};

    while (poll(fds, COUNT_OF(fds), -1) < 0)
        must(errno == EINTR);
    return fds[1].revents && !fds[0].revents;
}

static void drop(struct loopback *server)
{
    if (server->ssl)
        SSL_free(server->ssl);
    server->ssl = NULL;
    if (server->fd >= 0)
        close(server->fd);
    server->fd = -1;
    buf_done(&server->input);
}

bool loopback_accept(struct loopback *server)
{
    drop(server);
    if (!wait_readable(server, server->listener))
        return false;
    server->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (server->fd < 0)
        return false;
    {
        LOCK_SCOPE(&server->lock);
        server->connections++;
    }
    if (server->context) {
        server->ssl = SSL_new(server->context);
        SSL_set_fd(server->ssl, server->fd);
        if (SSL_accept(server->ssl) != 1)
            drop(server); /* the client did not like us: its error is what the test looks at */
    }
    return true;
}

/* Appends what comes; false at the peer's end. */
static bool read_more(struct loopback *server)
{
    char bytes[16384];
    ssize_t got;

    if (server->fd < 0)
        return false;
    if ((!server->ssl || !SSL_pending(server->ssl)) && !wait_readable(server, server->fd))
        return false;
    got =
        server->ssl ? SSL_read(server->ssl, bytes, sizeof(bytes)) : recv(server->fd, bytes, sizeof(bytes), 0);
    if (got <= 0)
        return false;
    server->input.max = 64 * MIB;
    buf_add(&server->input, bytes, (size_t)got);
    return true;
}

static size_t body_length(struct str head)
{
    struct str line;
    int64_t length = 0;

    while (str_cut(&head, '\n', &line)) {
        struct str name;

        if (str_contains(line, ":") && str_cut(&line, ':', &name) &&
            str_equal_nocase(name, STR("content-length")))
            str_to_int(str_trim(line), &length);
    }
    return (size_t)length;
}

bool loopback_request(struct loopback *server)
{
    const char *end;
    size_t total;

    while (!(end = server->input.len ? memmem(server->input.data, server->input.len, "\r\n\r\n", 4) : NULL)) {
        if (!read_more(server))
            return false;
    }
    total = (size_t)(end - server->input.data) + 4;
    total += body_length((struct str){.ptr = server->input.data, .len = total});
    while (server->input.len < total) {
        if (!read_more(server))
            return false;
    }
    LOCK_SCOPE(&server->lock);
    if (server->seen_count < SEEN_MAX)
        server->seen[server->seen_count++] = xstrndup(server->input.data, total);
    buf_drop(&server->input, total);
    return true;
}

void loopback_send_bytes(struct loopback *server, const void *bytes, size_t len)
{
    const char *rest = bytes;

    while (len && server->fd >= 0) {
        ssize_t sent =
            server->ssl ? SSL_write(server->ssl, rest, (int)len) : send(server->fd, rest, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the peer is gone */
        rest += sent;
        len -= (size_t)sent;
    }
}

void loopback_send(struct loopback *server, const char *text)
{
    loopback_send_bytes(server, text, strlen(text));
}

void loopback_hang_up(struct loopback *server)
{
    if (server->ssl)
        SSL_shutdown(server->ssl);
    drop(server);
}

void loopback_reset(struct loopback *server)
{
    struct linger now = {.l_onoff = 1};

    if (server->fd >= 0)
        setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    drop(server);
}

void loopback_wait(struct loopback *server)
{
    uint64_t one;

    if (wait_readable(server, server->signals))
        must(read(server->signals, &one, sizeof(one)) == sizeof(one));
}

void loopback_wait_gone(struct loopback *server)
{
    while (read_more(server))
        buf_reset(&server->input);
}

static void *run(void *arg)
{
    struct loopback *server = arg;

    server->options.serve(server, server->options.arg);
    drop(server);
    return NULL;
}

/* --- the test's thread --- */

struct loopback *loopback_new(const struct loopback_options *options)
{
    struct loopback *server = xcalloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    server->options = *options;
    server->fd = -1;
    server->over = eventfd(0, EFD_CLOEXEC);
    server->signals = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    server->context = new_context(options);
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(server->listener, (struct sockaddr *)&address, len) == 0 && listen(server->listener, 16) == 0);
    must(getsockname(server->listener, (struct sockaddr *)&address, &len) == 0);
    server->port = ntohs(address.sin_port);
    must(pthread_create(&server->thread, NULL, run, server) == 0);
    return server;
}

int loopback_port(const struct loopback *server)
{
    return server->port;
}

char *loopback_url(const struct loopback *server, const char *target)
{
    return xasprintf("%s://127.0.0.1:%d%s", server->options.tls ? "https" : "http", server->port, target);
}

void loopback_signal(struct loopback *server)
{
    must(write(server->signals, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t));
}

int loopback_connections(struct loopback *server)
{
    LOCK_SCOPE(&server->lock);

    return server->connections;
}

const char *loopback_seen(struct loopback *server, int index)
{
    LOCK_SCOPE(&server->lock);

    return index < server->seen_count ? server->seen[index] : NULL;
}

void loopback_free(struct loopback *server)
{
    if (!server)
        return;
    must(write(server->over, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t));
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->over);
    close(server->signals);
    SSL_CTX_free(server->context);
    for (int i = 0; i < server->seen_count; i++)
        xfree(server->seen[i]);
    pthread_mutex_destroy(&server->lock);
    xfree(server);
}
