# Included by plugins/host-baremetal: the benchmarks exist where the plugin does.
foreach(bench host_baremetal_bench image_context_bench workspaces_bench)
  add_executable(${bench} ${PROJECT_SOURCE_DIR}/bench/hosts/${bench}.cc)
  target_link_libraries(${bench} PRIVATE host_baremetal_objs a4c_warnings)
  target_include_directories(${bench} PRIVATE ${PROJECT_SOURCE_DIR})
endforeach()
