# Included by plugins/store-postgres: the benchmarks exist where the plugin does.
foreach(question tax create)
  set(program store_postgres_${question}_bench)
  add_executable(${program} ${PROJECT_SOURCE_DIR}/bench/store/${program}.cc)
  target_link_libraries(${program} PRIVATE a4c_store_postgres a4c::core a4c_warnings)
  target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${program} PRIVATE A4C_STORE_POSTGRES="$<TARGET_FILE:store-postgres>")
  add_dependencies(${program} store-postgres)
endforeach()
