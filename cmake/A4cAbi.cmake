# Writes a4c/abi.h: per interface a hash of the declarations that a plugin of it is compiled against,
# comments and white space left out. `a4c_headers_of_<Interface>` are the files that the interface needs.
set(a4c_abi_common result.h clock.h sinks.h call.h kind.h record.h config.h plugin.h json.h resolve.h memory.h)
set(a4c_headers_of_Store ${a4c_abi_common} store.h leases.h digests.h migrations.h replicas.h retention.h
    batch_rules.h scan_rules.h store_clock.h stored_kind.h)
set(a4c_headers_of_Bus ${a4c_abi_common} bus.h)
set(a4c_headers_of_SearchIndex ${a4c_abi_common} query.h search_index.h
    search_document.h search_plan.h digests.h rebuild.h)
set(a4c_headers_of_HostProvider ${a4c_abi_common} host_provider.h host_extensions.h host_images.h
    host_activity.h host_cleanup.h host_description.h host_enrolment.h host_look.h host_streams.h host_update.h
    host_volumes.h)

# The first twelve digits of the hash of these headers' declarations.
function(a4c_hash_declarations include_dir headers result)
  set(declarations "")
  foreach(header IN LISTS headers)
    file(READ ${include_dir}/a4c/${header} content)
    string(REGEX REPLACE "//[^\n]*" "" content "${content}")
    string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" "" content "${content}")
    string(REGEX REPLACE "[ \t\r\n\\]+" "" content "${content}")
    string(APPEND declarations "${content}")
  endforeach()
  string(SHA256 hash "${declarations}")
  string(SUBSTRING ${hash} 0 12 hash)
  set(${result} ${hash} PARENT_SCOPE)
endfunction()

# The standard library's part of the tag is known to the preprocessor alone.
function(a4c_abi_header_text include_dir result)
  set(text [=[
// Generated: the ABI tags of the interfaces.
#pragma once

#include <cstddef>  // defines the macros of the standard library

#define A4C_ABI_STR2(x) #x
#define A4C_ABI_STR(x) A4C_ABI_STR2(x)
#ifdef _GLIBCXX_DEBUG
#define A4C_ABI_DEBUG "-debug"
#else
#define A4C_ABI_DEBUG ""
#endif
#define A4C_ABI_TOOLS \
  "/cxx11abi" A4C_ABI_STR(_GLIBCXX_USE_CXX11_ABI) A4C_ABI_DEBUG "/" A4C_ABI_STR(__cplusplus)
]=])
  foreach(interface Store Bus SearchIndex HostProvider)
    a4c_hash_declarations(${include_dir} "${a4c_headers_of_${interface}}" hash)
    string(TOLOWER ${interface} word)
    string(APPEND text "#define A4C_ABI_TAG_${interface} \"A4C_ABI_TAG=${word}/${hash}\" A4C_ABI_TOOLS\n")
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

function(a4c_write_abi_header include_dir output)
  file(GLOB headers CONFIGURE_DEPENDS ${include_dir}/a4c/*.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
  a4c_abi_header_text(${include_dir} text)
  file(CONFIGURE OUTPUT ${output} CONTENT "${text}" @ONLY)
endfunction()
