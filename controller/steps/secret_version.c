#include "controller/steps/secret_version.h"

#include "controller/steps/secret_text.h"
#include "pkg/base/digest.h"

void secret_version_id(struct str identity, char ret[SECRET_VERSION_MAX])
{
    char hex[2 * SHA256_BYTES + 1];

    sha256_hex(identity, hex);
    memcpy(ret, hex, SECRET_VERSION_MAX - 1);
    ret[SECRET_VERSION_MAX - 1] = '\0';
}

struct err *secret_version_put_back(const struct secret_way_back *way)
{
    bool is_present, is_before;

    TRY(secret_text_same(way->content, way->present->text, way->secret_id, &is_present));
    TRY(secret_text_same(way->content, way->before->text, way->secret_id, &is_before));
    if (is_present)
        return NULL;
    if (is_before)
        return secretsmanager_move_stage(way->aws, way->secret_id, "AWSCURRENT", way->before->version_id,
                                         way->present->version_id);
    return secretsmanager_put_value(way->aws, way->secret_id, way->version, way->content, NULL);
}
