# Included by plugins/host-baremetal: the benchmark exists where the plugin does.
add_executable(host_baremetal_bench ${PROJECT_SOURCE_DIR}/bench/host_baremetal_bench.cc)
target_link_libraries(host_baremetal_bench PRIVATE host_baremetal_objs a4c_warnings)
target_include_directories(host_baremetal_bench PRIVATE ${PROJECT_SOURCE_DIR})

add_executable(image_context_bench ${PROJECT_SOURCE_DIR}/bench/image_context_bench.cc)
target_link_libraries(image_context_bench PRIVATE host_baremetal_objs a4c_warnings)
target_include_directories(image_context_bench PRIVATE ${PROJECT_SOURCE_DIR})
