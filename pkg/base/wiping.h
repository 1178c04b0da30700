/* Memory of the libraries that are handed secrets is wiped before it is given back: cJSON (bodies of requests
 * and answers) and OpenSSL (keys, records). libcurl's is installed by its transport. */
#ifndef BASE_WIPING_H
#define BASE_WIPING_H

/* Once, at the start of the process, before any of them is used. */
void wiping_install(void);

#endif
