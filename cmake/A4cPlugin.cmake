# a4c_plugin(name SOURCES a.cc ... [LINK lib ...]): a plugin as a shared library that exports one symbol.
# Used by the project's own plugins and, installed, by those of others.
set(A4C_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

function(a4c_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "VERSION" "SOURCES;LINK")
  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE a4c::core ${arg_LINK})
  if(TARGET a4c_warnings)
    target_link_libraries(${name} PRIVATE a4c_warnings)
  endif()
  if(NOT arg_VERSION)
    set(arg_VERSION ${PROJECT_VERSION})
  endif()
  target_compile_definitions(${name} PRIVATE A4C_PLUGIN_VERSION="${arg_VERSION}")
  target_link_options(${name} PRIVATE -Wl,--version-script=${A4C_PLUGIN_MAP} -Wl,-z,defs)
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON
                        LIBRARY_OUTPUT_DIRECTORY "${A4C_PLUGIN_OUTPUT_DIRECTORY}"
                        LINK_DEPENDS ${A4C_PLUGIN_MAP})
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/a4c/plugins)
endfunction()

# a4c_conformance_test(name CONFIG file.json [LABELS label ...]): the CTest test conformance-<name>, which
# runs the conformance suites of its kind over the plugin. ${NAME} in the config is the environment's;
# without it the test is skipped, in CI it fails. Does nothing where tests are not built. VARIANT word: for
# one of several configs of a plugin, conformance-<name>-<word>.
function(a4c_conformance_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CONFIG;TIMEOUT;VARIANT" "LABELS")
  if(TARGET a4c-conformance)
    set(program $<TARGET_FILE:a4c-conformance>)
  elseif(TARGET a4c::conformance)
    set(program $<TARGET_FILE:a4c::conformance>)
  else()
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  get_filename_component(config "${arg_CONFIG}" ABSOLUTE)
  set(test conformance-${name})
  if(arg_VARIANT)
    string(APPEND test -${arg_VARIANT})
  endif()
  add_test(NAME ${test}
           COMMAND ${program} --plugin=$<TARGET_FILE:${name}> --config=${config})
  set_tests_properties(${test} PROPERTIES LABELS "conformance;${arg_LABELS}"
                       SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT})
endfunction()
