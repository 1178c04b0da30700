#include "plugin/session.h"

#include "pkg/base/terminal.h"

#include <stdarg.h>
#include <unistd.h>

void session_say(const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    fprintf(stderr, "error: %s\n", text);
}

enum exit_code session_fail(enum exit_code code, struct err *err)
{
    session_say("%s", err_text(err));
    err_free(err);
    return code;
}

static struct err *load_config(struct session *session)
{
    const struct process *process = session->process;
    const struct kube_config_sources sources = {
        .path = session->options->kubeconfig,
        .context = session->options->context,
        .kubeconfig_variable = process_variable(process, "KUBECONFIG"),
        .home = process_variable(process, "HOME"),
        .service_host = process_variable(process, "KUBERNETES_SERVICE_HOST"),
        .service_port = process_variable(process, "KUBERNETES_SERVICE_PORT"),
        .pod_namespace = process_variable(process, "POD_NAMESPACE"),
        .is_for_person = true,
        .has_terminal = isatty(STDIN_FILENO),
        .environment = process->environment,
    };

    return kube_config_load(&sources, &session->config);
}

/* Glyphs and colors are for terminals, and for those who have not said no to them. */
static void look_at_terminal(struct session *session)
{
    session->is_live = terminal_is_live(session->process);
    session->color = session->is_live && terminal_wants_color(session->process);
    session->utf8 = session->color && terminal_takes_utf8(session->process);
}

struct err *session_open(struct session *session, const struct process *process,
                         const struct options *options)
{
    *session = (struct session){.process = process, .options = options};
    session->sched = sched_threads_new(1);
    session->random = random_system_new();
    session->stop = stop_new();
    session->log = log_new(STDERR_FILENO, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, session->sched);
    session->env = (struct env){.log = session->log,
                                .sched = session->sched,
                                .random = session->random,
                                .stop = session->stop,
                                .transport = transport_curl_new(session->sched)};
    look_at_terminal(session);
    TRY(load_config(session));
    session->client = kube_client_new(
        session->config, &(struct kube_client_opts){.user_agent = "kubectl-stagingrefresh/" SR_VERSION,
                                                    .field_manager = "kubectl-stagingrefresh"});
    session->cluster = (struct cluster){.client = session->client, .env = &session->env};
    session->namespace = options->namespace ? options->namespace : kube_config_namespace(session->config);
    return NULL;
}

void session_close(struct session *session)
{
    kube_client_free(session->client);
    kube_config_free(session->config);
    transport_free(session->env.transport);
    log_free(session->log);
    stop_free(session->stop);
    random_free(session->random);
    sched_free(session->sched);
}
