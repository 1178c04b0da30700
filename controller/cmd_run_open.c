/* How `run` begins: settings, state, and where the last command left off. */
#include "controller/cmd_run_priv.h"
#include "controller/names.h"
#include "controller/objects_file.h"
#include "pkg/base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct object_id run_refresh_id(const struct run *run)
{
    return (struct object_id){.kind = OBJECT_REFRESH,
                              .namespace = json_get_text(run->input.refresh, "metadata.namespace", ""),
                              .name = json_get_text(run->input.refresh, "metadata.name", "")};
}

/* --- settings and state --- */

static struct err *read_settings(struct run *run)
{
    const struct options *options = run->options;

    TRY(run_input_read(options->files.items, options->files.count, options->kubeconfig != NULL, &run->input));
    TRY(command_aws_config(run->process, options->aws_endpoint_url, &run->aws));
    if (!options->kubeconfig)
        return NULL;
    TRY(command_kube_config(run->process, options->kubeconfig, &run->kube_config));
    run->client = command_kube_client(run->kube_config, 0);
    return NULL;
}

static struct err *choose_dir(struct run *run)
{
    const struct object_id id = run_refresh_id(run);

    if (run->options->state_dir)
        run->dir = xstrdup(run->options->state_dir);
    else
        run->dir = objects_file_default_dir(process_variable(run->process, "XDG_STATE_HOME"),
                                            process_variable(run->process, "HOME"), id.namespace, id.name);
    return run->dir ? NULL : err_new(ERR_INVALID, "--state-dir DIR is required: there is no home directory");
}

static struct err *open_state(struct run *run)
{
    TRY(choose_dir(run));
    TRY(objects_file_open(run->dir, &run->env, &run->objects));
    run->objects->kube = run->client;
    if (run->input.source)
        TRY(objects_file_put(run->objects, &run->env, run->input.source));
    TRY(objects_file_put(run->objects, &run->env, run->input.target));
    return objects_file_put(run->objects, &run->env, run->input.refresh);
}

static enum show_mode choose_mode(const struct run *run)
{
    if (run->options->output == OUTPUT_JSON ||
        (run->options->output == OUTPUT_AUTO && !isatty(STDOUT_FILENO)))
        return SHOW_JSON;
    return terminal_is_live(run->process) ? SHOW_LIVE : SHOW_LINES;
}

static struct err *open_log(struct run *run, enum show_mode mode)
{
    AUTO_FREE char *path = NULL;

    if (mode == SHOW_LIVE) {
        path = xasprintf("%s/run.log", run->dir);
        run->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (run->log_fd < 0)
            return err_errno(ERR_INVALID, errno, "%s", path);
    }
    run->log = log_new(run->log_fd >= 0 ? run->log_fd : STDERR_FILENO,
                       (enum log_level)run->options->log_level, LOG_FORMAT_TEXT, run->real);
    run->env.log = run->log;
    return NULL;
}

static struct err *open_show(struct run *run)
{
    const struct object_id id = run_refresh_id(run);
    struct show_opts opts = {
        .mode = choose_mode(run), .sched = run->real, .color = terminal_wants_color(run->process)};

    run->title = xasprintf("%s/%s", id.namespace, id.name);
    opts.title = run->title;
    TRY(open_log(run, opts.mode));
    run->show = show_new(&opts);
    if (run->input.ignored) {
        AUTO_FREE char *note = xasprintf("not for run, left alone: %s", run->input.ignored);

        show_note(run->show, note);
    }
    return NULL;
}

/* --- where the last command left off --- */

struct json *run_read_refresh(const struct run *run)
{
    const struct object_id id = run_refresh_id(run);
    struct json *object = NULL;

    err_ignore(objects_read(run->objects, &run->env, &id, &object), "reading what is in memory cannot fail");
    return object;
}

/* What the last command said of a trouble is not what this one finds: a condition that is seen from now on is
 * news. */
static struct err *drop_old_trouble(const struct run *run)
{
    AUTO_JSON struct json *object = run_read_refresh(run);
    AUTO_JSON struct json *status = json_copy(json_member(object, "status"));
    AUTO_JSON struct json *written = NULL;
    struct json *kept = json_new_array();

    json_each (condition, json_member(status, "conditions")) {
        if (!text_equal(json_get_text(condition, "type", ""), "Stalled"))
            json_append(kept, json_copy(condition));
    }
    if (json_count(kept) == json_count(json_member(status, "conditions"))) {
        json_free(kept);
        return NULL;
    }
    json_set(status, "conditions", kept);
    return objects_write_status(run->objects, &run->env, object, status, &written);
}

/* A person who runs the command once more wants another run. */
static struct err *request_run(const struct run *run)
{
    const struct object_id id = run_refresh_id(run);
    char value[RUN_ID_MAX];

    name_run_id(sched_wall_ms(run->real), run->random, value);
    return objects_file_annotate(run->objects, &id, ANNOTATION("run-requested"), value);
}

static void note_resumed(struct run *run, const struct json *object)
{
    bool same = refresh_same_frozen(json_at(object, "status.run.spec"), json_member(object, "spec"));
    AUTO_FREE char *note =
        xasprintf("goes on with run %s%s", json_get_text(object, "status.run.id", ""),
                  same ? "" : ", as it began: what has changed in the file counts from the next run on");

    show_note(run->show, note);
}

static struct err *take_up(struct run *run)
{
    AUTO_JSON struct json *object = run_read_refresh(run);
    const char *id = json_get_text(object, "status.run.id", NULL);

    if (id && !json_at(object, "status.run.completionTime")) {
        note_resumed(run, object);
        show_update(run->show, object);
    } else if (id) {
        run->before = xstrdup(id);
    }
    if (id && run->before && !run_is_wanted(object))
        TRY(request_run(run));
    return drop_old_trouble(run);
}

struct err *run_open(struct run *run)
{
    TRY(read_settings(run));
    TRY(open_state(run));
    TRY(open_show(run));
    return take_up(run);
}
