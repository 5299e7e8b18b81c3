# See CMakeLists.txt. The plugin is built in Release, whatever the framework was built with: the ABI
# tag lets that pass.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_in_output part)
  if(NOT output MATCHES "${part}")
    message(FATAL_ERROR "there is no \"${part}\" in:\n${output}")
  endif()
endfunction()

set(prefix ${WORK}/prefix)
set(plugin ${WORK}/store-foo)
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component framework)

foreach(kind store bus search host)
  if(NOT EXISTS ${prefix}/share/a4c/conformance/${kind}/README.md)
    message(FATAL_ERROR "what ${kind} conformance asks for is not installed")
  endif()
endforeach()

# The installed template, not the one of the source tree.
set(ENV{A4C_TEMPLATE_DIR} ${prefix}/share/a4c/templates)
run(${NEW_PLUGIN} store-foo --into=${plugin})
unset(ENV{A4C_TEMPLATE_DIR})

run(${CMAKE_COMMAND} -S ${plugin} -B ${plugin}/build -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX}
    -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
run(${CMAKE_COMMAND} --build ${plugin}/build)

run(${NM} -D --defined-only ${plugin}/build/store-foo.so)
string(STRIP "${output}" output)
if(NOT output MATCHES "^[0-9a-f]+ [A-Z] a4c_plugin$")
  message(FATAL_ERROR "store-foo.so exports more than its descriptor:\n${output}")
endif()

# The plugin's own CTest, and the installed program by hand.
run(ctest --test-dir ${plugin}/build -V)
expect_in_output("store-foo 0.1.0 \\(Store\\)")
expect_in_output("100% tests passed, 0 tests failed out of 1")
run(${prefix}/bin/a4c-conformance --plugin=${plugin}/build/store-foo.so
    --config=${plugin}/conformance.json --gtest_filter=StoreApply*)
expect_in_output("PASSED")

# A setting that the plugin does not know.
file(WRITE ${WORK}/wrong.json [[{"titel": "x"}]])
execute_process(COMMAND ${prefix}/bin/a4c-conformance --plugin=${plugin}/build/store-foo.so
                --config=${WORK}/wrong.json RESULT_VARIABLE status OUTPUT_VARIABLE output
                ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "conformance passed with a setting that does not exist")
endif()
expect_in_output("did you mean \"title\"")

# The programs find core and the plugins wherever the prefix is, though nothing says where.
foreach(component programs plugins)
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component ${component})
endforeach()
unset(ENV{LD_LIBRARY_PATH})
run(${prefix}/bin/a4c --version)
# And the author's, which was installed beside them.
run(${CMAKE_COMMAND} --install ${plugin}/build --prefix ${prefix})
run(${prefix}/sbin/a4cd plugin list)
expect_in_output("store-foo")
expect_in_output("store-sqlite")
expect_in_output("host-baremetal")
message(STATUS "installed, built outside of the tree, and conformant")
