# tests/<module>/test_<thing>.c: one program each, run by CTest. A first line
# "/* labels: model */" gives labels; the default is "unit".
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
add_library(test_support STATIC ${support}) # made once, linked by every test
target_link_libraries(test_support PUBLIC szilard_static)
target_include_directories(test_support PRIVATE ${CMAKE_SOURCE_DIR}/src)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT SZ_PORTABLE)
  target_sources(test_support PRIVATE ${CMAKE_SOURCE_DIR}/tests/num/kernels_vnni.c)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/tests/num/kernels_vnni.c PROPERTIES
    COMPILE_OPTIONS "-O1;-mavx2;-mavx512vl;-mavx512vnni;-mfma;-mf16c;-mbmi2")
  target_compile_definitions(test_support PUBLIC SZ_TEST_VNNI)
endif()

file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/test_*.c)
foreach(source ${tests})
  get_filename_component(module ${source} DIRECTORY)
  get_filename_component(module ${module} NAME)
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE "test_" "${module}_" name ${name})
  if((module STREQUAL "cli" AND NOT TARGET szilard) OR
     (module STREQUAL "serve" AND NOT TARGET szilard_serve))
    continue()
  endif()
  add_executable(test_${name} ${source})
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(test_${name} PRIVATE
    SZ_TEST_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors" SZ_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE test_support szilard_products PkgConfig::CMOCKA m)
  if(module STREQUAL "cli")
    target_compile_definitions(test_${name} PRIVATE SZ_COMMAND="$<TARGET_FILE:szilard>")
    target_link_libraries(test_${name} PRIVATE szilard_cli util)
    add_dependencies(test_${name} szilard)
  endif()
  if(module STREQUAL "serve")
    target_link_libraries(test_${name} PRIVATE szilard_serve)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  file(STRINGS ${source} first LIMIT_COUNT 1)
  if(first MATCHES "labels: ([a-z ]+[a-z])")
    string(REPLACE " " ";" labels ${CMAKE_MATCH_1})
  else()
    set(labels unit)
  endif()
  set(limit 900)
  if("long" IN_LIST labels)
    set(limit 14400)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT ${limit})
endforeach()

# tests/cli/test_<thing>.sh: the command as people run it. The second line may give labels.
foreach(name make_tiny_model json_get)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/tests/cli/${name}.c)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE test_support)
endforeach()
if(TARGET szilard)
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cli/test_*.sh)
  foreach(script ${scripts})
    get_filename_component(name ${script} NAME_WE)
    string(REPLACE "test_" "command_" name ${name})
    add_test(NAME ${name} COMMAND bash ${script} $<TARGET_FILE:szilard> $<TARGET_FILE:make_tiny_model>
             $<TARGET_FILE:json_get>)
    file(STRINGS ${script} first LIMIT_COUNT 2)
    if(first MATCHES "labels: ([a-z ]+[a-z])")
      string(REPLACE " " ";" labels ${CMAKE_MATCH_1})
    else()
      set(labels unit)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 300)
  endforeach()
endif()

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
# The distance of the engine from it, beside llama.cpp's; exact logits are kept in the build folder.
foreach(model smollm2-135m-instruct-q4_1 gemma3-270m-q4_k_m qwen2.5-coder-0.5b-instruct-q4_k_m
              qwen2.5-coder-1.5b-instruct-q4_k_m)
  if(TARGET szilard)
    add_test(NAME accuracy_${model} COMMAND ${reference}/accuracy.sh
             ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/tests/vectors ${model})
    set_tests_properties(accuracy_${model} PROPERTIES LABELS models SKIP_RETURN_CODE 77
                         TIMEOUT 7200 RUN_SERIAL TRUE)
  endif()
endforeach()

# bench/bench_<thing>.c: programs that measure; built with the tests so that they keep compiling.
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/bench_*.c)
foreach(source ${benches})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE szilard_products)
endforeach()
target_sources(bench_match PRIVATE ${CMAKE_SOURCE_DIR}/src/cli/plot.c) # draws
