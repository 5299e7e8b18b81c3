# Included by plugins/bus-kafka: the benchmark exists where the plugin does.
add_executable(bus_kafka_bench ${PROJECT_SOURCE_DIR}/bench/bus/bus_kafka_bench.cc)
target_link_libraries(bus_kafka_bench PRIVATE a4c_bus_kafka a4c::core a4c_warnings)
target_compile_definitions(bus_kafka_bench PRIVATE A4C_BUS_KAFKA="$<TARGET_FILE:bus-kafka>")
add_dependencies(bus_kafka_bench bus-kafka)
