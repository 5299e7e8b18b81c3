# Compiler settings of the project, and the helpers a4c_test() and a4c_bench().
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(A4C_PLUGIN_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)

find_package(Threads REQUIRED)

add_library(a4c_warnings INTERFACE)
target_compile_options(a4c_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wformat=2)
# Not in a user's build: optimised by another compiler, good code has warnings as well.
option(A4C_WERROR "A warning is an error" ON)
if(A4C_WERROR)
  target_compile_options(a4c_warnings INTERFACE -Werror)
endif()
# "text" + std::string, optimised, is reported by mistake (gcc bug 105651).
target_compile_options(a4c_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

if(A4C_SANITIZE)
  add_compile_options(-fsanitize=${A4C_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  # Instrumented code under -Og gives false alarms; the release build keeps the warning.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${A4C_SANITIZE})
endif()

find_program(A4C_MOLD mold)
if(A4C_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# What has threads: built and run once more under ThreadSanitizer.
add_custom_target(a4c_thread_tests)

# a4c_test(name SOURCES a.cc ... [LINK lib ...] [LABELS label ...]): a GoogleTest program as one CTest
# test. Labels: none is hermetic; "server" needs a real server, "packaging" an install; "long" is more
# than a CI run has time for; "threads" runs under ThreadSanitizer as well.
function(a4c_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINK;LABELS;ARGS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE a4c::core a4c_warnings a4c_test_support ${arg_LINK})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  if(A4C_SANITIZE STREQUAL thread)
    set_tests_properties(${name} PROPERTIES
      ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp")
  endif()
  if("threads" IN_LIST arg_LABELS)
    add_dependencies(a4c_thread_tests ${name})
  endif()
endfunction()
