#include "pkg/aws/lambda.h"

#include "pkg/aws/protocol.h"

struct err *lambda_invoke_async(const struct aws_client *aws, const char *function,
                                const struct json *payload)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    buf_adds(&path, "/2015-03-31/functions/");
    rest_add_label(&path, function);
    buf_adds(&path, "/invocations");
    return aws_call_rest(aws, AWS_OP_INVOKE, &path, payload, &reply);
}
