# Compiler settings and the two kinds of target that the tree is made of.

add_library(sr_options INTERFACE)
target_include_directories(sr_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(sr_options INTERFACE _GNU_SOURCE SR_VERSION="${PROJECT_VERSION}")
target_compile_options(sr_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings
  -Wnull-dereference -Wswitch-enum -Wimplicit-fallthrough -Wdouble-promotion
  -fno-omit-frame-pointer
  -include ${CMAKE_SOURCE_DIR}/pkg/base/banned.h)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  # Statement expressions and the like are GNU C on purpose.
  target_compile_options(sr_options INTERFACE -Wno-gnu)
endif()
if(SR_WERROR)
  target_compile_options(sr_options INTERFACE -Werror)
endif()
if(SR_SANITIZE)
  target_compile_options(sr_options INTERFACE -fsanitize=${SR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(sr_options INTERFACE -fsanitize=${SR_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(sr_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    -fstack-protector-strong -fstack-clash-protection -fPIE)
  target_link_options(sr_options INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
if(SR_FUZZ)
  target_compile_options(sr_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SR_COVERAGE)
  target_compile_options(sr_options INTERFACE --coverage -O0)
  target_link_options(sr_options INTERFACE --coverage)
endif()

# sr_library(NAME LINKS ...): the folder pkg/NAME is the library sr_NAME; what it may use is what it links.
function(sr_library name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/pkg/${name}/*.c)
  if(NOT sources)
    add_library(sr_${name} INTERFACE)
    target_link_libraries(sr_${name} INTERFACE sr_options ${ARG_LINKS})
    return()
  endif()
  add_library(sr_${name} STATIC ${sources})
  target_link_libraries(sr_${name} PUBLIC sr_options ${ARG_LINKS})
endfunction()

# sr_tests(FOLDER TIER LINKS ...): every FOLDER/<module>_test.c is one cmocka executable and one ctest, labelled TIER.
function(sr_tests folder tier)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.c)
  foreach(source ${sources})
    get_filename_component(module ${source} NAME_WE)
    string(REPLACE "/" "_" prefix ${folder})
    set(target ${prefix}_${module})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE sr_testing ${ARG_LINKS})
    target_compile_definitions(${target} PRIVATE SR_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SR_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${folder}/${module} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${folder}/${module} PROPERTIES LABELS ${tier} TIMEOUT 1800)
  endforeach()
endfunction()
