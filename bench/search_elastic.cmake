# Included by plugins/search-elastic: the benchmark exists where the plugin does.
add_executable(search_elastic_bench ${PROJECT_SOURCE_DIR}/bench/search_elastic_bench.cc)
target_link_libraries(search_elastic_bench PRIVATE a4c_search_elastic a4c::core a4c_warnings)
target_compile_definitions(search_elastic_bench PRIVATE
                           A4C_SEARCH_ELASTIC="$<TARGET_FILE:search-elastic>")
add_dependencies(search_elastic_bench search-elastic)

# A backlog through the sync: the store is PostgreSQL's, or in memory.
add_executable(sync_backlog_bench ${PROJECT_SOURCE_DIR}/bench/sync_backlog_bench.cc)
target_link_libraries(sync_backlog_bench PRIVATE a4c_search_elastic a4c::core a4c_warnings)
target_compile_definitions(sync_backlog_bench PRIVATE
                           A4C_SEARCH_ELASTIC="$<TARGET_FILE:search-elastic>")
add_dependencies(sync_backlog_bench search-elastic)
if(TARGET store-postgres AND NOT A4C_STATIC_PLUGINS)
  target_compile_definitions(sync_backlog_bench PRIVATE
                             A4C_STORE_POSTGRES="$<TARGET_FILE:store-postgres>")
  add_dependencies(sync_backlog_bench store-postgres)
endif()
