# SPDX-License-Identifier: Apache-2.0
# ebpfd_module(NAME DEPENDS ...): the library ebpfd_NAME from every .cc of this folder. It sees the
# headers of the modules it names and of no others: the borders of design are link targets.
function(ebpfd_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  # Each module's headers are found as "NAME/header.h" through a folder that holds it alone.
  set(view ${CMAKE_BINARY_DIR}/headers/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)
  if(sources)
    add_library(ebpfd_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(ebpfd_${name} PRIVATE ebpfd_warnings)
  else()
    add_library(ebpfd_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(ebpfd_${name} ${scope} ${view} ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(ebpfd_${name} ${scope} ${arg_DEPENDS})
endfunction()

# ebpfd_test(NAME [LABEL label] [DEPENDS ...]): one GoogleTest program from every .cc of this
# folder, run as one ctest entry.
function(ebpfd_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE ${arg_DEPENDS} GTest::gtest_main GTest::gmock ebpfd_warnings)
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABEL}")
endfunction()
