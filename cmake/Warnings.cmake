# SPDX-License-Identifier: Apache-2.0
# One interface target that every target of ours links: warnings and sanitizers.
add_library(ebpfd_warnings INTERFACE)
target_compile_options(ebpfd_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # What libstdc++ 12 itself uses: std::get_temporary_buffer in std::stable_sort.
  target_compile_options(ebpfd_warnings INTERFACE -Wno-deprecated-declarations)
endif()
if(EBPFD_WERROR)
  target_compile_options(ebpfd_warnings INTERFACE -Werror)
endif()
if(EBPFD_SANITIZE)
  target_compile_options(ebpfd_warnings INTERFACE -fsanitize=${EBPFD_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(ebpfd_warnings INTERFACE -fsanitize=${EBPFD_SANITIZE})
endif()

# Behind ebpfd_warnings, for users of LIBBPF_OPTS: it names the fields that are set, and clang warns
# of the others.
add_library(ebpfd_libbpf_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(ebpfd_libbpf_warnings INTERFACE -Wno-missing-designated-field-initializers)
endif()
