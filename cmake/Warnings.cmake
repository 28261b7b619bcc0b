# SPDX-License-Identifier: Apache-2.0
# One interface target that every target of ours links: warnings and sanitizers.
add_library(ebpfd_warnings INTERFACE)
target_compile_options(ebpfd_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion)
if(EBPFD_WERROR)
  target_compile_options(ebpfd_warnings INTERFACE -Werror)
endif()
if(EBPFD_SANITIZE)
  target_compile_options(ebpfd_warnings INTERFACE -fsanitize=${EBPFD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(ebpfd_warnings INTERFACE -fsanitize=${EBPFD_SANITIZE})
endif()
