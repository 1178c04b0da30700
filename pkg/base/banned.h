/* Force-included everywhere: functions that have hurt others become compile errors. Says nothing else. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok strncpy strncat gets
#pragma GCC poison atoi atol atoll atof gmtime localtime asctime ctime strerror tmpnam mktemp

#endif
