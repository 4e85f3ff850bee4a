# tests/<module>/test_<thing>.c: one program each, run by CTest. A first line
# "/* labels: model */" gives labels; the default is "unit".
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
add_library(test_support STATIC ${support}) # made once, linked by every test
target_link_libraries(test_support PUBLIC szilard_static)
target_include_directories(test_support PRIVATE ${CMAKE_SOURCE_DIR}/src)

file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/test_*.c)
foreach(source ${tests})
  get_filename_component(module ${source} DIRECTORY)
  get_filename_component(module ${module} NAME)
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE "test_" "${module}_" name ${name})
  add_executable(test_${name} ${source})
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(test_${name} PRIVATE
    SZ_TEST_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors" SZ_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE test_support szilard_static PkgConfig::CMOCKA m)
  add_test(NAME ${name} COMMAND test_${name})
  file(STRINGS ${source} first LIMIT_COUNT 1)
  if(first MATCHES "labels: ([a-z ]+[a-z])")
    string(REPLACE " " ";" labels ${CMAKE_MATCH_1})
  else()
    set(labels unit)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 900)
endforeach()

# tests/reference: the readable reference and the programs that compare logits with it.
set(reference ${CMAKE_SOURCE_DIR}/tests/reference)
foreach(name exact_forward compare_logits check_reference check_vectors)
  add_executable(${name} ${reference}/${name}.c)
  target_link_libraries(${name} PRIVATE szilard_static m)
endforeach()
add_test(NAME reference_architectures COMMAND ${reference}/test_exact.sh
         ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/tests/vectors architectures)
add_test(NAME reference_smollm2 COMMAND ${reference}/test_exact.sh
         ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/tests/vectors smollm2-135m-instruct-q4_1 multilingual)
set_tests_properties(reference_architectures PROPERTIES LABELS unit)
set_tests_properties(reference_smollm2 PROPERTIES LABELS model SKIP_RETURN_CODE 77)

# bench/bench_<thing>.c: programs that measure; built with the tests so that they keep compiling.
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/bench_*.c)
foreach(source ${benches})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE szilard_static)
endforeach()
