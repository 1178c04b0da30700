#include "controller/steps/differences.h"

void differences_add(struct buf *list, const char *what, const char *wanted, const char *is)
{
    if (!wanted || text_equal(wanted, is))
        return;
    buf_addf(list, "%s%s is %s instead of %s", list->len ? ", " : "", what, is ? is : "absent", wanted);
}

void differences_settle(struct stage *stage, const struct buf *list, struct outcome *out)
{
    const char *name = stage->copy->copy_identifier;

    step_set_evidence(stage->row, DIFFERENCES_EVIDENCE, list->len ? buf_text(list) : NULL);
    if (!list->len)
        *out = outcome_done("%s is as asked for", name);
    else if (stage->pass->spec->differences == DIFFERENCES_FAIL)
        *out = outcome_failed("CopyDiffers",
                              "%s is not what was asked for: %s; put it right, or set "
                              "spec.switchover.differences to Report",
                              name, buf_text(list));
    else
        *out = outcome_done("%s differs from what was asked for: %s", name, buf_text(list));
}
