#include "pkg/serve/serve_priv.h"

#include "pkg/base/files.h"

#include <openssl/ssl.h>

#define PEM_MAX (256 * KIB)

static struct err *read_pair(const struct port *port, struct buf *cert, struct buf *key)
{
    TRY(file_read(port->listener.cert_chain, cert));
    return file_read(port->listener.key, key);
}

/* The pair as a whole, before any of it is served. */
static bool fits(const struct port *port)
{
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    bool fine = trial && SSL_CTX_use_certificate_chain_file(trial, port->listener.cert_chain) == 1 &&
                SSL_CTX_use_PrivateKey_file(trial, port->listener.key, SSL_FILETYPE_PEM) == 1 &&
                SSL_CTX_check_private_key(trial) == 1;

    SSL_CTX_free(trial);
    return fine;
}

static struct err *no_pair(const struct port *port)
{
    return err_new(ERR_INVALID, "%s and %s are no certificate with its key", port->listener.cert_chain,
                   port->listener.key);
}

static void remember(struct port *port, struct buf *cert, struct buf *key)
{
    tls_done(port);
    port->cert = *cert;
    port->key = *key;
    *cert = (struct buf){0};
    *key = (struct buf){0};
}

struct err *tls_check(struct port *port)
{
    AUTO_BUF struct buf cert = BUF_MAX(PEM_MAX);
    AUTO_BUF struct buf key = BUF_SECRET(PEM_MAX);

    TRY(read_pair(port, &cert, &key));
    if (!fits(port))
        return no_pair(port);
    remember(port, &cert, &key);
    return NULL;
}

/* Connections that are open keep what they began with. */
static struct err *load(struct port *port)
{
    if (!fits(port) || SSL_CTX_use_certificate_chain_file(port->tls, port->listener.cert_chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(port->tls, port->listener.key, SSL_FILETYPE_PEM) != 1)
        return no_pair(port);
    return NULL;
}

static struct err *reload(struct port *port)
{
    AUTO_BUF struct buf cert = BUF_MAX(PEM_MAX);
    AUTO_BUF struct buf key = BUF_SECRET(PEM_MAX);

    TRY(read_pair(port, &cert, &key));
    if (str_equal(buf_str(&cert), buf_str(&port->cert)) && str_equal(buf_str(&key), buf_str(&port->key)))
        return NULL;
    TRY(load(port));
    remember(port, &cert, &key);
    LOG_INFO(port->server->log, "certificate loaded", KV("file", port->listener.cert_chain));
    return NULL;
}

void tls_reload(struct port *port)
{
    AUTO_ERR struct err *err = port->tls ? reload(port) : NULL;

    if (err)
        LOG_WARN(port->server->log, "the certificate in use stays", KV("because", err_text(err)));
}

void tls_done(struct port *port)
{
    buf_done(&port->cert);
    buf_done(&port->key);
}
