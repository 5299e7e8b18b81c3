# Included by plugins/search-elastic: the benchmarks exist where the plugin does.
add_executable(search_elastic_bench ${PROJECT_SOURCE_DIR}/bench/search/search_elastic_bench.cc)
target_link_libraries(search_elastic_bench PRIVATE a4c_search_elastic a4c::core a4c_warnings)
target_include_directories(search_elastic_bench PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(search_elastic_bench PRIVATE
                           A4C_SEARCH_ELASTIC="$<TARGET_FILE:search-elastic>")
add_dependencies(search_elastic_bench search-elastic)

include(${PROJECT_SOURCE_DIR}/bench/sync/sync_backlog.cmake)
