# What authors of plugins install (component `framework`): headers, core, the CMake package, the
# conformance program and the templates. Plugins are the component `plugins`.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(a4c_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/a4c)

# a4c_install_framework(abi_header): called once, where core is defined.
function(a4c_install_framework abi_header)
  install(TARGETS a4c_core EXPORT a4cTargets COMPONENT framework
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT framework
          NAMELINK_COMPONENT framework)
  install(DIRECTORY include/a4c DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT framework)
  install(FILES ${abi_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/a4c COMPONENT framework)
  install(EXPORT a4cTargets NAMESPACE a4c:: DESTINATION ${a4c_package_dir} COMPONENT framework)

  set(source ${PROJECT_SOURCE_DIR}/cmake)
  set(binary ${CMAKE_CURRENT_BINARY_DIR})
  configure_package_config_file(${source}/a4cConfig.cmake.in ${binary}/a4cConfig.cmake
                                INSTALL_DESTINATION ${a4c_package_dir})
  # Plugins fit the release whose headers they were built against: the ABI tag holds them to it.
  write_basic_package_version_file(${binary}/a4cConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${binary}/a4cConfig.cmake ${binary}/a4cConfigVersion.cmake
          ${source}/A4cPlugin.cmake ${source}/plugin.map
          DESTINATION ${a4c_package_dir} COMPONENT framework)
endfunction()

# a4c_install_program(target [COMPONENT name] [EXPORT_NAME name] [DESTINATION folder]): into bin, if no folder
# is named, where it finds liba4c_core wherever the prefix is. With EXPORT_NAME it is part of the CMake package,
# as a4c::<name>.
function(a4c_install_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT;EXPORT_NAME;DESTINATION" "")
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT framework)
  endif()
  if(NOT arg_DESTINATION)
    set(arg_DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
  GNUInstallDirs_get_absolute_install_dir(folder arg_DESTINATION BINDIR)
  file(RELATIVE_PATH to_libraries ${folder} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libraries}")
  set(export "")
  if(arg_EXPORT_NAME)
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${arg_EXPORT_NAME})
    set(export EXPORT a4cTargets)
  endif()
  install(TARGETS ${target} ${export} RUNTIME DESTINATION ${arg_DESTINATION}
          COMPONENT ${arg_COMPONENT})
endfunction()
