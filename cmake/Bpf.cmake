# SPDX-License-Identifier: Apache-2.0
# ebpfd_bpf_skeleton(NAME): compiles NAME.bpf.c and makes NAME.skel.h of it, available to
# whoever links NAME_skeleton. The depfile makes it follow include/ and maps/.
find_program(BPF_CLANG NAMES clang REQUIRED)
find_program(BPF_STRIP NAMES llvm-strip llvm-strip-19 llvm-strip-18 llvm-strip-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)

# As <bpf/bpf_tracing.h> wants it, for the registers in which a probe finds its arguments.
string(REGEX REPLACE "^x86_64|^i.86" "x86" BPF_TARGET_ARCH ${CMAKE_SYSTEM_PROCESSOR})
string(REPLACE "aarch64" "arm64" BPF_TARGET_ARCH ${BPF_TARGET_ARCH})

function(ebpfd_bpf_skeleton name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  add_custom_command(OUTPUT ${object}
    COMMAND ${BPF_CLANG} -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_${BPF_TARGET_ARCH} -Wall -Wextra -Werror
      -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/maps
      -isystem /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
      -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
    COMMAND ${BPF_STRIP} -g ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMENT "BPF ${name}.bpf.o")
  add_custom_command(OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name} > ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${object} VERBATIM
    COMMENT "Skeleton ${name}.skel.h")
  add_custom_target(${name}_skeleton_files DEPENDS ${skeleton})
  add_library(${name}_skeleton INTERFACE)
  add_dependencies(${name}_skeleton ${name}_skeleton_files)
  target_include_directories(${name}_skeleton SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
