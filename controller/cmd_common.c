#include "controller/cmd_common.h"

#include <stdarg.h>

const char *const log_level_names[] = {"debug", "info", "warn", "error", NULL};
const char *const log_format_names[] = {"json", "text", NULL};

void command_say(const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    fprintf(stderr, "stagingrefresh: %s\n", text);
}

enum exit_code command_fail(enum exit_code code, struct err *err)
{
    command_say("%s", err_text(err));
    err_free(err);
    return code;
}

static void set_endpoint(struct aws_config *config, const char *url)
{
    xfree(config->endpoint_url);
    config->endpoint_url = xstrdup(url);
    for (size_t i = 0; i < COUNT_OF(config->service_endpoint_urls); i++)
        xfree(TAKE(config->service_endpoint_urls[i]));
}

/* A mistake in the endpoint is better said now than by the first call. */
static struct err *check_endpoint(const struct aws_config *config)
{
    AUTO_ENDPOINT struct aws_endpoint endpoint = {0};

    return config->endpoint_url ? aws_endpoint_resolve(config, AWS_BACKUP, "us-east-1", &endpoint) : NULL;
}

struct err *command_aws_config(const struct process *process, const char *endpoint_url,
                               struct aws_config *ret)
{
    AUTO_AWS_CONFIG struct aws_config config = {0};

    TRY(aws_config_from_environ(process->environment, &config));
    TRY(aws_config_add_profile(&config));
    if (endpoint_url)
        set_endpoint(&config, endpoint_url);
    TRY(check_endpoint(&config));
    *ret = config;
    config = (struct aws_config){0};
    return NULL;
}

struct err *command_kube_config(const struct process *process, const char *path, struct kube_config **ret)
{
    const struct kube_config_sources sources = {
        .path = path,
        .kubeconfig_variable = process_variable(process, "KUBECONFIG"),
        .home = process_variable(process, "HOME"),
        .service_host = process_variable(process, "KUBERNETES_SERVICE_HOST"),
        .service_port = process_variable(process, "KUBERNETES_SERVICE_PORT"),
        .pod_namespace = process_variable(process, "POD_NAMESPACE"),
        .environment = process->environment,
    };

    return kube_config_load(&sources, ret);
}

struct kube_client *command_kube_client(struct kube_config *config, int64_t timeout_ms)
{
    const struct kube_client_opts opts = {.user_agent = "stagingrefresh/" SR_VERSION,
                                          .field_manager = "stagingrefresh",
                                          .timeout_ms = timeout_ms};

    return kube_client_new(config, &opts);
}

struct transport *command_new_transport(void *arg)
{
    return transport_curl_new(arg);
}
