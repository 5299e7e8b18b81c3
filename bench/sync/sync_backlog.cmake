# A backlog through the sync, and a sync that can be killed: the store is PostgreSQL's, or in memory.
foreach(bench sync_backlog_bench sync_subject)
  add_executable(${bench} ${PROJECT_SOURCE_DIR}/bench/sync/${bench}.cc)
  target_link_libraries(${bench} PRIVATE a4c_search_elastic a4c::core a4c_warnings)
  target_include_directories(${bench} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${bench} PRIVATE A4C_SEARCH_ELASTIC="$<TARGET_FILE:search-elastic>")
  add_dependencies(${bench} search-elastic)
  # Whose folder comes after this one.
  if(EXISTS ${PROJECT_SOURCE_DIR}/plugins/store-postgres AND NOT A4C_STATIC_PLUGINS)
    target_compile_definitions(${bench} PRIVATE A4C_STORE_POSTGRES="$<TARGET_FILE:store-postgres>")
    add_dependencies(${bench} store-postgres)
  endif()
endforeach()
