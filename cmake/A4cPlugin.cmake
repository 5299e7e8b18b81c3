# a4c_plugin(), a4c_conformance_test() and a4c_link_in(): used by the project's own plugins and,
# installed, by those of others.
include(GNUInstallDirs)

option(A4C_STATIC_PLUGINS "Link plugins into programs instead of loading them" OFF)
set(A4C_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

# A program that links this has every plugin of the build linked in, if A4C_STATIC_PLUGINS is on.
if(NOT TARGET a4c_static_plugins)
  add_library(a4c_static_plugins INTERFACE)
endif()

# a4c_plugin(name SOURCES a.cc ... [LINK lib ...] [VERSION 1.2.3]): a plugin as a shared library that
# exports one symbol. With A4C_STATIC_PLUGINS: as a static library in a4c_static_plugins.
function(a4c_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "VERSION" "SOURCES;LINK")
  if(A4C_STATIC_PLUGINS)
    add_library(${name} STATIC ${arg_SOURCES})
    a4c_link_in(${name} a4c_static_plugins)
  else()
    add_library(${name} MODULE ${arg_SOURCES})
    target_link_options(${name} PRIVATE -Wl,--version-script=${A4C_PLUGIN_MAP} -Wl,-z,defs)
    set_target_properties(${name} PROPERTIES PREFIX "" LINK_DEPENDS ${A4C_PLUGIN_MAP}
                          LIBRARY_OUTPUT_DIRECTORY "${A4C_PLUGIN_OUTPUT_DIRECTORY}"
                          INSTALL_RPATH "$ORIGIN/../..")
    install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/a4c/plugins
            COMPONENT plugins)
  endif()
  # Headers are named from the plugin's folder, also by sources in folders within.
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE a4c::core ${arg_LINK})
  if(TARGET a4c_warnings)
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:a4c_warnings>)
  endif()
  if(NOT arg_VERSION)
    set(arg_VERSION ${PROJECT_VERSION})
  endif()
  target_compile_definitions(${name} PRIVATE A4C_PLUGIN_VERSION="${arg_VERSION}")
  set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# a4c_link_in(name into): gives the plugin, a static library, a symbol of its own, and whoever links
# `into` a source that adds it to the table of linked-in plugins before main.
function(a4c_link_in name into)
  string(MAKE_C_IDENTIFIER a4c_plugin_${name} symbol)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}_linked_in.cc)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [=[
#include "a4c/plugin_host.h"

extern "C" const a4c::PluginDescriptor @symbol@;
[[maybe_unused]] static const bool added = (a4c::AddStaticPlugin(@symbol@), true);
]=])
  target_compile_definitions(${name} PRIVATE A4C_PLUGIN_SYMBOL=${symbol})
  target_sources(${into} INTERFACE ${source})
  target_link_libraries(${into} INTERFACE ${name} a4c::core)
endfunction()

# a4c_conformance_test(name CONFIG file.json [LABELS label ...] [VARIANT word] [TIMEOUT seconds] [COUNT n]): the
# CTest test conformance-<name>, or conformance-<name>-<word> for one of several configs, which runs the
# conformance suites of its kind over the plugin. ${NAME} in the config is the environment's; without it
# the test is skipped, in CI it fails. COUNT: cases of random tests (default 1000). Does nothing where tests are not built.
function(a4c_conformance_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CONFIG;TIMEOUT;VARIANT;COUNT" "LABELS")
  if(TARGET a4c-conformance)
    set(program a4c-conformance)
  elseif(TARGET a4c::conformance)
    set(program a4c::conformance)
  else()
    return()
  endif()
  set(plugin $<TARGET_FILE:${name}>)
  if(A4C_STATIC_PLUGINS)
    set(plugin ${name})
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  set(count "")
  if(arg_COUNT)
    set(count --count=${arg_COUNT})
  endif()
  set(test conformance-${name})
  if(arg_VARIANT)
    string(APPEND test -${arg_VARIANT})
  endif()
  get_filename_component(config "${arg_CONFIG}" ABSOLUTE)
  add_test(NAME ${test}
           COMMAND $<TARGET_FILE:${program}> --plugin=${plugin} --config=${config} ${count})
  set_tests_properties(${test} PROPERTIES LABELS "conformance;${arg_LABELS}"
                       SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT})
endfunction()
