# Floor 4: products built from the engine, a library that the command, tests and fuzz targets link.
# The core library alone needs neither it nor what it links.
if(NOT (SZ_TOOLS OR SZ_TESTS OR SZ_FUZZ))
  return()
endif()
foreach(module ${floor_4})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${module}/*.c)
  list(APPEND SZ_PRODUCT_SOURCES ${files})
endforeach()
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
add_library(szilard_products STATIC ${SZ_PRODUCT_SOURCES})
target_include_directories(szilard_products PUBLIC ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(szilard_products PUBLIC szilard_static PkgConfig::SODIUM)
