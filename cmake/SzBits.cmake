# What tools/check_bits runs in each build: it needs the core library alone.
set(tests ${CMAKE_SOURCE_DIR}/tests)
add_executable(hash_logits ${tests}/bits/hash_logits.c ${tests}/support/engine.c
               ${tests}/support/tiny_model.c)
target_include_directories(hash_logits PRIVATE ${tests} ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(hash_logits PRIVATE szilard_static)

# The tests of kernels for another processor, where there is no cmocka.
if(SZ_BITS)
  foreach(name products rows attention formats fma double)
    add_executable(bits_${name} ${tests}/num/test_${name}.c)
    target_include_directories(bits_${name} PRIVATE ${tests}/bits/stand_in ${tests}
                               ${CMAKE_SOURCE_DIR}/src)
    target_compile_definitions(bits_${name} PRIVATE SZ_TEST_VECTORS="${tests}/vectors")
    target_link_libraries(bits_${name} PRIVATE szilard_static m)
    list(APPEND bits_tests bits_${name})
  endforeach()
  add_custom_target(bits_tests DEPENDS ${bits_tests})
endif()
