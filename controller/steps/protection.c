#include "controller/steps/protection.h"

bool protection_record(struct stage *stage)
{
    struct copy_status *copy = status_copy(stage->pass->status, stage->copy->copy_arn);

    if (!copy || copy->protected_by_settings)
        return false;
    copy->protected_by_settings = true;
    return true;
}

void protection_settle(struct stage *stage, bool is_on)
{
    struct copy_status *copy = status_copy(stage->pass->status, stage->copy->copy_arn);

    if (copy && !is_on)
        copy->protected_by_settings = false;
}
